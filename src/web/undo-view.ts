import type { UndoView } from "../../views/props.ts";
import type { Undoable } from "../trash.ts";
import { SECOND_MS } from "../units.ts";

export function undoView({ fileIds, msLeft }: Undoable, listHref: string): UndoView {
  return { fileIds, secondsLeft: Math.ceil(msLeft / SECOND_MS), listHref };
}
