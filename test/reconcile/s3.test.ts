import { skipUnlessCi } from "../support/needs.ts";
import { startMiniflare } from "../support/s3-servers/miniflare.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";
import { reconcileContract } from "./contract.ts";
import { startFakeServer, startToReconcile } from "./on-s3.ts";

reconcileContract("the strict fake", () => startToReconcile(startFakeServer));
reconcileContract("miniflare", () => startToReconcile(startMiniflare));
if (!skipUnlessCi(versitygwMissing())) reconcileContract("versitygw", () => startToReconcile(startVersitygw));
