/** Runs in a page of the server: Uppy as its documentation has it, beside a field for files. */
import Uppy from "@uppy/core";
import Tus from "@uppy/tus";

let field = document.createElement("input");
field.type = "file";
field.id = "for-uppy";
document.body.append(field);

globalThis.startUppy = (endpoint) => {
  let uppy = new Uppy();
  let retryDelays = Array.from({ length: 1000 }, () => 100);
  uppy.use(Tus, { endpoint, chunkSize: 24 * 1024 * 1024, retryDelays });
  uppy.on("complete", ({ successful, failed }) => {
    globalThis.uppyEnded = successful?.length === 1 ? "successful" : `failed: ${failed?.[0]?.error}`;
  });
  let [data] = field.files;
  uppy.addFile({ name: data.name, type: data.type, data });
  void uppy.upload();
};
