import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeDatasetteFiles } from "../../src/datasette/files.ts";
import { viewsOf } from "../../src/datasette/views-of-config.ts";
import { silentLog } from "../../src/log.ts";

const root = mkdtempSync(join(tmpdir(), "datasette-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function newFolder(): string {
  return mkdtempSync(join(root, "data-"));
}

function write(folder: string, table = "s3_uploads", publicUrl: string | null = null) {
  let views = viewsOf({ public_url: publicUrl, base_path: "/b" }, table, "secret");
  let written = writeDatasetteFiles(folder, table, views, silentLog);
  return Object.fromEntries(written.map(({ name, state }) => [name, state]));
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

describe("metadata.yaml and datasette.yaml", () => {
  test("are written once, for whoever may enter the folder, and nothing else is", () => {
    let folder = newFolder();
    expect(write(folder)).toEqual({ "metadata.yaml": "written", "datasette.yaml": "written" });
    expect(write(folder)).toEqual({ "metadata.yaml": "unchanged", "datasette.yaml": "unchanged" });
    expect(readdirSync(folder).toSorted()).toEqual(["datasette.yaml", "metadata.yaml"]);
  });

  test("can be read by whoever may enter the folder, whatever the umask", () => {
    let folder = newFolder();
    let before = process.umask(0o077);
    try {
      write(folder);
    } finally {
      process.umask(before);
    }
    for (let name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o644);
  });

  test("take the place of what a crash left of them", () => {
    let folder = newFolder();
    writeFileSync(join(folder, "metadata.yaml.part"), "half");
    write(folder);
    expect(readdirSync(folder).toSorted()).toEqual(["datasette.yaml", "metadata.yaml"]);
  });

  test("follow the settings as long as nobody has edited them", () => {
    let folder = newFolder();
    write(folder);
    expect(write(folder, "Photos", "https://x.example")).toEqual({
      "metadata.yaml": "written",
      "datasette.yaml": "written",
    });
    expect(read(folder, "metadata.yaml")).toContain("Photos_links:");
    expect(read(folder, "datasette.yaml")).not.toContain("s3_uploads:");
  });

  test.each([
    ["a line more", (text: string) => `${text}\nplugins: {}\n`],
    ["another title", (text: string) => text.replace("title: Uploads", "title: Ours")],
    ["Windows' line ends", (text: string) => text.replaceAll("\n", "\r\n")],
    ["a space at the end of a line", (text: string) => text.replace("databases:\n", "databases: \n")],
    ["an empty line less", (text: string) => text.replace("\n\n", "\n")],
    ["a comment more", (text: string) => text.replace("databases:", "# ours\ndatabases:")],
    ["half of it", (text: string) => text.slice(0, text.length / 2)],
    ["no first line", (text: string) => text.slice(text.indexOf("\n") + 1)],
    ["nothing at all", () => ""],
  ])("are a person's once they have %s", (_, edit) => {
    let folder = newFolder();
    write(folder);
    let edited = edit(read(folder, "metadata.yaml"));
    writeFileSync(join(folder, "metadata.yaml"), edited);
    expect(write(folder, "Photos")).toEqual({ "metadata.yaml": "theirs", "datasette.yaml": "written" });
    expect(read(folder, "metadata.yaml")).toBe(edited);
  });

  test("are a person's once they are read-only", () => {
    let folder = newFolder();
    write(folder);
    let before = read(folder, "metadata.yaml");
    chmodSync(join(folder, "metadata.yaml"), 0o444);
    expect(write(folder)["metadata.yaml"]).toBe("unchanged");
    expect(write(folder, "Photos")).toEqual({ "metadata.yaml": "theirs", "datasette.yaml": "written" });
    expect(read(folder, "metadata.yaml")).toBe(before);
  });

  test.each(["there", "not there"])("are a person's where they are a link to a file that is %s", (where) => {
    let folder = newFolder();
    let target = join(newFolder(), "metadata.yaml");
    if (where === "there") write(join(target, ".."));
    symlinkSync(target, join(folder, "metadata.yaml"));
    expect(write(folder, "Photos")).toEqual({ "metadata.yaml": "theirs", "datasette.yaml": "written" });
    expect(lstatSync(join(folder, "metadata.yaml")).isSymbolicLink()).toBe(true);
  });

  test.each(["metadata.json", "metadata.yml"])("do not come beside a person's %s", (name) => {
    let folder = newFolder();
    writeFileSync(join(folder, name), "{}");
    expect(write(folder)).toEqual({ "metadata.yaml": "theirs", "datasette.yaml": "written" });
    expect(readdirSync(folder).toSorted()).toEqual(["datasette.yaml", name].toSorted());
  });

  test("come again after they were deleted", () => {
    let folder = newFolder();
    write(folder);
    rmSync(join(folder, "datasette.yaml"));
    expect(write(folder)).toEqual({ "metadata.yaml": "unchanged", "datasette.yaml": "written" });
  });

  test("that can't be written keep no server from starting", () => {
    let folder = newFolder();
    mkdirSync(join(folder, "metadata.yaml"));
    expect(write(folder)).toEqual({ "metadata.yaml": "failed", "datasette.yaml": "written" });
  });

  test("hold no signature", () => {
    let folder = newFolder();
    write(folder, "s3_uploads", "https://x.example");
    expect(read(folder, "metadata.yaml") + read(folder, "datasette.yaml")).not.toContain("secret");
  });

  test("say each thing where it belongs, without YAML's aliases", () => {
    let folder = newFolder();
    write(folder);
    expect(read(folder, "metadata.yaml") + read(folder, "datasette.yaml")).not.toMatch(/^\s*[&*]/m);
  });

  test.each(["on", "y", "null", "order", "_x", "e1"])("are YAML with a table named %s", (table) => {
    let folder = newFolder();
    write(folder, table);
    let parsed = Bun.YAML.parse(read(folder, "datasette.yaml")) as {
      databases: { uploads: { tables: Record<string, object> } };
    };
    expect(Object.keys(parsed.databases.uploads.tables)).toContain(table);
  });
});
