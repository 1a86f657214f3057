import type { FileJson } from "../../src/web/file-json.ts";

interface FileAnswer {
  success: boolean;
  file_id: number;
  url: string;
  file: FileJson;
  duplicate_of?: number;
  error?: { code: string; message: string };
}

/** The answer to an upload of which at least one file was taken. */
export async function uploadBody(response: Response): Promise<FileAnswer & { files: FileAnswer[] }> {
  return (await response.json()) as FileAnswer & { files: FileAnswer[] };
}

export interface ListBody {
  success: boolean;
  rows: FileJson[];
  next: string | null;
  next_url: string | null;
  previous: string | null;
  previous_url: string | null;
}

/** The answer to a list. */
export async function listBody(response: Response): Promise<ListBody> {
  return (await response.json()) as ListBody;
}

/** The answer to a deletion. */
export async function deleteBody(response: Response): Promise<{ success: boolean; deleted: number[] }> {
  return (await response.json()) as { success: boolean; deleted: number[] };
}
