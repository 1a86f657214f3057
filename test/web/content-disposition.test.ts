import { expect, test } from "bun:test";

import { contentDisposition } from "../../src/web/content-disposition.ts";

test.each([
  ["photo.jpg", `filename="photo.jpg"; filename*=UTF-8''photo.jpg`],
  ["two words.txt", `filename="two words.txt"; filename*=UTF-8''two%20words.txt`],
  ["été.txt", `filename="ete.txt"; filename*=UTF-8''%C3%A9t%C3%A9.txt`],
  ["北京🎉.txt", `filename="___.txt"; filename*=UTF-8''%E5%8C%97%E4%BA%AC%F0%9F%8E%89.txt`],
  [`a"b\\c.txt`, `filename="a_b_c.txt"; filename*=UTF-8''a%22b%5Cc.txt`],
  ["100%41.txt", `filename="100_41.txt"; filename*=UTF-8''100%2541.txt`],
  ["it's (1)*!.txt", `filename="it's (1)*!.txt"; filename*=UTF-8''it%27s%20%281%29%2A%21.txt`],
  ["a\r\nSet-Cookie: x", `filename="a__Set-Cookie: x"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x`],
  ["lone \ud800 surrogate", `filename="lone _ surrogate"; filename*=UTF-8''lone%20%EF%BF%BD%20surrogate`],
  ["\u202Egnp.exe", `filename="_gnp.exe"; filename*=UTF-8''%E2%80%AEgnp.exe`],
])("%j stays ASCII and keeps its true name", (name, expected) => {
  let value = contentDisposition("attachment", name);
  expect(value).toBe(`attachment; ${expected}`);
  expect(value).toMatch(/^[\x20-\x7e]*$/);
  expect(new Headers({ "Content-Disposition": value }).get("Content-Disposition")).toBe(value);
});
