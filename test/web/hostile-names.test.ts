import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { createTestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";
import { listBody, uploadBody } from "../support/json-bodies.ts";
import { skipUnlessCi } from "../support/needs.ts";

const listPath = join(import.meta.dir, "../../../shared/corpus/naughty-names.json");
const listIsMissing = existsSync(listPath)
  ? null
  : "../shared/corpus/naughty-names.json, the list of hostile names";
const skipped = skipUnlessCi(listIsMissing);

interface NaughtyName {
  id: string;
  name: string;
}

const names: NaughtyName[] = skipped ? [] : JSON.parse(readFileSync(listPath, "utf8")).names;
const browser = { Accept: "text/html" };

let { ask, close } = createTestApp();
afterAll(close);

/** Text of a page's heading, and every element and attribute that could run something. */
async function readPage(html: string): Promise<{ heading: string; alive: string[] }> {
  let heading = "";
  let alive: string[] = [];
  let rewriter = new HTMLRewriter()
    .on("h1", { text: ({ text }) => void (heading += text) })
    .on("script", { element: (element) => void alive.push(`script ${element.getAttribute("src")}`) })
    .on("*", {
      element({ tagName, attributes }) {
        for (let [name, value] of attributes) {
          let runs = /^(href|src|action|formaction|hx-.*)$/.test(name) && /^\s*(javascript|js):/i.test(value);
          if (name.startsWith("on") || runs) alive.push(`${tagName} ${name}`);
        }
        if (["svg", "iframe", "object", "b"].includes(tagName)) alive.push(tagName);
      },
    });
  await rewriter.transform(new Response(html)).text();
  return { heading: decode(heading), alive };
}

function decode(html: string): string {
  let named: Record<string, string> = { lt: "<", gt: ">", quot: '"', amp: "&", "#39": "'" };
  return html.replace(/&(lt|gt|quot|amp|#39);/g, (_all, name: string) => named[name] ?? "");
}

async function expectHarmless(response: Response): Promise<void> {
  if (response.status !== 201) {
    // A form without a name for its file holds no file; a URL without one names no file.
    if (response.status === 405) return void (await expectError(response, 405, "method_not_allowed"));
    let code = (await response.clone().text()).includes("no_file") ? "no_file" : "invalid_filename";
    return void (await expectError(response, 400, code as "no_file"));
  }
  let { file, file_id: id } = await uploadBody(response);
  let { heading, alive } = await readPage(await (await ask(`/files/${id}`, { headers: browser })).text());
  expect(heading).toBe(file.filename);
  expect(alive).toEqual([
    expect.stringMatching(/^script \/-\/s3-uploads\/static\/htmx-[0-9a-f]+\.js$/),
    expect.stringMatching(/^script \/-\/s3-uploads\/static\/file-[0-9a-f]+\.js$/),
  ]);

  let disposition = (await ask(`/files/${id}/download`)).headers.get("Content-Disposition") ?? "";
  let match = /^attachment; filename="([^"\\%]*)"; filename\*=UTF-8''([\w.!#$&+^`|~%-]*)$/.exec(disposition);
  expect(match?.[1]).toMatch(/^[\x20-\x7e]+$/);
  expect(decodeURIComponent(match?.[2] ?? "")).toBe(file.filename);
}

describe.skipIf(skipped)("a hostile name is refused, or shown as it is and harmless", () => {
  test.each(names.map(({ id, name }) => [id, name] as const))("%s", async (_id, name) => {
    let form = new FormData();
    form.append("file", new File(["x"], name));
    await expectHarmless(await ask("/upload", { method: "POST", body: form }));
    let segment = encodeURIComponent(name.toWellFormed());
    await expectHarmless(await ask(`/upload/${segment}`, { method: "PUT", body: "x" }));
  });

  test("all of them together in the list, the page and the table", async () => {
    let { rows } = await listBody(await ask("/files.json?_size=1000"));
    expect(rows.length).toBeGreaterThan(names.length);
    let page = await readPage(await (await ask("/files?_size=1000", { headers: browser })).text());
    let own = page.alive.filter((what) => what !== "svg");
    expect(own).toEqual([
      expect.stringMatching(/^script \/-\/s3-uploads\/static\/htmx-[0-9a-f]+\.js$/),
      expect.stringMatching(/^script \/-\/s3-uploads\/static\/files-[0-9a-f]+\.js$/),
    ]);
    // Our own pictures, three for a file, two for the look and one that holds their shapes; none came with a name.
    expect(page.alive.length - own.length).toBe(rows.length * 3 + 3);
    let csv = await (await ask("/files.csv")).text();
    let cells = [...csv.matchAll(/^\d+,[0-9a-f-]{36},("(?:[^"]|"")*"|[^,]*),local,/gm)].map(
      (line) => line[1] ?? "",
    );
    expect(cells).toHaveLength(rows.length);
    for (let cell of cells) expect(cell).not.toMatch(/^"?[=+\-@\t\r]/);
  });
});
