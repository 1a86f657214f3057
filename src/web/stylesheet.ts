import admin from "../../public/css/admin.css" with { type: "file" };
import audit from "../../public/css/audit.css" with { type: "file" };
import base from "../../public/css/base.css" with { type: "file" };
import file from "../../public/css/file.css" with { type: "file" };
import filesGrid from "../../public/css/files-grid.css" with { type: "file" };
import files from "../../public/css/files.css" with { type: "file" };
import forms from "../../public/css/forms.css" with { type: "file" };
import frame from "../../public/css/frame.css" with { type: "file" };
import listTools from "../../public/css/list-tools.css" with { type: "file" };
import notices from "../../public/css/notices.css" with { type: "file" };
import upload from "../../public/css/upload.css" with { type: "file" };

/** The parts of the one stylesheet, in the order in which they are joined. */
export const stylesheetPaths: readonly string[] = [
  base,
  frame,
  forms,
  notices,
  upload,
  files,
  filesGrid,
  listTools,
  file,
  admin,
  audit,
];
