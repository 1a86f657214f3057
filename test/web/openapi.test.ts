import { afterAll, describe, expect, test } from "bun:test";

import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";

import { demandsOf } from "../../src/web/openapi/document.ts";
import { createTestApp, testBase } from "../support/app.ts";

interface Document {
  info: { version: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, { operationId: string; security: object[]; responses: object }>>;
  components: { schemas: Record<string, object> };
}

/** What only people and their browsers ask for. */
const pages = [
  "GET ",
  "GET /",
  "GET /static/{name}",
  "GET /uploaded/{receipt}",
  "GET /sign-in",
  "POST /sign-in",
  "POST /sign-out",
  "GET /invitation",
  "POST /invitation",
  "GET /account",
  "POST /account/password",
  "POST /account/sign-out-everywhere",
  "GET /audit",
];

/** All below /admin are forms of pages. */
function isPage(route: string): boolean {
  return pages.includes(route) || / \/admin(?:\/|$)/.test(route);
}

let world = createTestApp();
let closed = createTestApp({
  anonymousScopes: [],
  options: { publicUrl: "https://files.example.org", version: "7.8.9" },
});
afterAll(() => {
  world.close();
  closed.close();
});
let document = await documentOf(world);

async function documentOf({ ask }: typeof world): Promise<Document> {
  let response = await ask("/openapi.json");
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  return (await response.json()) as Document;
}

test("is valid OpenAPI 3.1", async () => {
  let validator = new Validator();
  let { valid, errors } = await validator.validate({ ...structuredClone(document) });
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("tells of every route of the app but those of pages, and of no other", () => {
  let told = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  let routes = [...demandsOf(world.app.routes, testBase).keys()].filter((route) => !route.startsWith("ALL "));
  expect(told.toSorted()).toEqual(routes.filter((route) => !isPage(route)).toSorted());
});

test("gives every operation a name of its own", () => {
  let names = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(new Set(names).size).toBe(names.length);
});

test("is open to everybody, and says where the server is and which one", async () => {
  let { info, servers } = await documentOf(closed);
  expect(info.version).toBe("7.8.9");
  expect(servers).toEqual([{ url: `https://files.example.org${testBase}` }]);
  expect(document.servers).toEqual([{ url: testBase }]);
  let root = createTestApp({ options: { basePath: "" } });
  expect((await documentOf(root)).servers).toEqual([{ url: "/" }]);
  root.close();
});

test("says which scope is demanded, and whether anybody has it", async () => {
  let listing = { bearer: ["view"] };
  let { paths } = await documentOf(closed);
  expect(paths["/files.json"]?.["get"]?.security).toEqual([
    listing,
    { basic: ["view"] },
    { session: ["view"] },
  ]);
  expect(document.paths["/files.json"]?.["get"]?.security).toContainEqual(listing);
  expect(document.paths["/files.json"]?.["get"]?.security).toContainEqual({});
  expect(document.paths["/audit.json"]?.["get"]?.security).not.toContainEqual({});
  expect(document.paths["/healthz"]?.["get"]?.security).toEqual([{}]);
});

describe("what is answered has the shape that it tells", () => {
  let ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "document", ...document });

  async function expectShape(name: string, response: Response) {
    let body: unknown = await response.json();
    ajv.validate({ $ref: `document#/components/schemas/${name}` }, body);
    expect([body, ajv.errors]).toEqual([body, null]);
    return body as Record<string, unknown>;
  }

  test("uploads, and the columns of a row", async () => {
    let { file } = await expectShape("Upload", await upload("a.txt", "b.txt"));
    let { required } = document.components.schemas["File"] as { required: string[] };
    expect(Object.keys(file as object).toSorted()).toEqual(required.toSorted());
  });

  test("lists and single files", async () => {
    await world.addFile("x");
    await expectShape("FileList", await world.ask("/files.json?_size=1"));
    await expectShape("FileList", await world.ask("/files", { headers: { Accept: "application/json" } }));
    await expectShape("OneFile", await world.ask("/files/1.json"));
  });

  test("deletions", async () => {
    let { id } = await world.addFile("x");
    await expectShape("Deleted", await send("/files/delete", `id=${id}&id=99999`));
    let other = await world.addFile("y");
    await expectShape("Deleted", await world.ask(`/files/${other.id}`, { method: "DELETE" }));
  });

  test("health and failures", async () => {
    await expectShape("Status", await world.ask("/healthz"));
    await expectShape("Status", await world.ask("/readyz"));
    await expectShape("Failure", await world.ask("/files/99999.json"));
    await expectShape("Failure", await send("/files/delete", "id=99999"));
    await expectShape("Failure", await send("/upload", "x", "multipart/form-data"));
    await expectShape("Failure", await world.ask("/files.json?_size=0"));
  });

  test("the audit log", async () => {
    let { token } = closed.tokens.create({ name: "admin", scopes: ["admin"] });
    let headers = { Authorization: `Bearer ${token}` };
    closed.audit.write(
      "server_started",
      { actor: "server", address: null, requestId: null },
      { version: "1" },
    );
    await expectShape("AuditLog", await closed.ask("/audit.json", { headers }));
  });
});

function upload(...names: string[]) {
  let body = new FormData();
  for (let name of names) body.append("file", new File([name], name));
  return world.ask("/upload", { method: "POST", body });
}

function send(path: string, fields: string, type = "application/x-www-form-urlencoded") {
  return world.ask(path, { method: "POST", body: fields, headers: { "Content-Type": type } });
}
