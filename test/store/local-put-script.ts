import { toAppError } from "../../src/errors.ts";
/** Run by a test under a file size limit: puts argv[3] bytes into the folder argv[2], prints the error's code. */
import { createLocalStorage } from "../../src/store/local.ts";
import { bytesOf, putRequest } from "./bodies.ts";

let [, , directory = "", bytes = ""] = process.argv;
let put = createLocalStorage({ directory }).put(putRequest("a/b.bin", bytesOf(Number(bytes))));
console.log(
  await put.then(
    () => "stored",
    (error: unknown) => toAppError(error).code,
  ),
);
