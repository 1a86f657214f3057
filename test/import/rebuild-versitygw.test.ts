import { skipUnlessCi } from "../support/needs.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";
import { rebuildCases } from "./rebuild-cases.ts";

if (!skipUnlessCi(versitygwMissing())) rebuildCases("versitygw", startVersitygw);
