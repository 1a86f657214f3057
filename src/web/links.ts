import type { FileLinks, SiteLinks } from "../../views/props.ts";
import { trimEndOf } from "../trim-end.ts";

export interface LinkOptions {
  /** Begins with a slash and does not end in one; empty at the root. */
  basePath: string;
  /** What stands before the base path in the address that others see; null: links are paths. */
  publicUrl: string | null;
}

export interface Links extends SiteLinks {
  /** The page that tells what became of a form's files. */
  uploaded(receipt: string): string;
  ofFile(id: number): FileLinks;
  /** Where an invitation is opened. */
  invitation: string;
  /** Of a resumable upload. */
  ofUpload(uid: string): string;
  /** For programs, which keep a link longer than a page does. */
  absolute(path: string): string;
}

/** Every address the server gives out, as paths for pages. */
export function createLinks({ basePath, publicUrl }: LinkOptions): Links {
  let files = `${basePath}/files`;
  let origin = trimEndOf(publicUrl ?? "", "/");
  return {
    home: basePath || "/",
    upload: `${basePath}/upload`,
    tus: `${basePath}/tus`,
    files,
    filesCsv: `${files}.csv`,
    signIn: `${basePath}/sign-in`,
    signOut: `${basePath}/sign-out`,
    account: `${basePath}/account`,
    admin: {
      tokens: `${basePath}/admin/tokens`,
      users: `${basePath}/admin/users`,
      invitations: `${basePath}/admin/invitations`,
    },
    invitation: `${basePath}/invitation`,
    deleteMany: `${files}/delete`,
    restore: `${files}/restore`,
    audit: `${basePath}/audit`,
    uploaded: (receipt) => `${basePath}/uploaded/${receipt}`,
    ofFile: (id) => ({
      page: `${files}/${id}`,
      json: `${files}/${id}.json`,
      download: `${files}/${id}/download`,
      frame: `${files}/${id}/download?frame=1`,
      thumbnail: `${files}/${id}/thumbnail`,
      delete: `${files}/${id}/delete`,
    }),
    ofUpload: (uid) => `${basePath}/tus/${uid}`,
    absolute: (path) => origin + path,
  };
}
