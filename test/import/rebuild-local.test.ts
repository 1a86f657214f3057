import { rebuildCases } from "./rebuild-cases.ts";

rebuildCases("local storage", null);
