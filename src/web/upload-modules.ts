import chunks from "../../public/js/upload/chunks.js" with { type: "file" };
import explain from "../../public/js/upload/explain.js" with { type: "file" };
import format from "../../public/js/upload/format.js" with { type: "file" };
import gather from "../../public/js/upload/gather.js" with { type: "file" };
import main from "../../public/js/upload/main.js" with { type: "file" };
import offer from "../../public/js/upload/offer.js" with { type: "file" };
import queue from "../../public/js/upload/queue.js" with { type: "file" };
import rate from "../../public/js/upload/rate.js" with { type: "file" };
import row from "../../public/js/upload/row.js" with { type: "file" };
import rows from "../../public/js/upload/rows.js" with { type: "file" };
import rules from "../../public/js/upload/rules.js" with { type: "file" };
import resumable from "../../public/js/upload/send-resumable.js" with { type: "file" };
import send from "../../public/js/upload/send.js" with { type: "file" };
import summary from "../../public/js/upload/summary.js" with { type: "file" };
import thumbnail from "../../public/js/upload/thumbnail.js" with { type: "file" };
import tus from "../../public/js/upload/tus.js" with { type: "file" };
import unfinished from "../../public/js/upload/unfinished.js" with { type: "file" };

/** The scripts of the upload page by the names under which they import each other; the first is the one to begin with. */
export const uploadModulePaths: Readonly<Record<string, string>> = {
  "main.js": main,
  "chunks.js": chunks,
  "explain.js": explain,
  "format.js": format,
  "gather.js": gather,
  "offer.js": offer,
  "queue.js": queue,
  "rate.js": rate,
  "row.js": row,
  "rows.js": rows,
  "rules.js": rules,
  "send-resumable.js": resumable,
  "send.js": send,
  "summary.js": summary,
  "thumbnail.js": thumbnail,
  "tus.js": tus,
  "unfinished.js": unfinished,
};
