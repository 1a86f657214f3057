import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";

export const cookieName = "s3u_session";

export interface SessionCookie {
  read(context: Context): string | null;
  /** @param secure true when this request came by https */
  give(context: Context, secret: string, secure: boolean): void;
  remove(context: Context): void;
}

export interface SessionCookieOptions {
  basePath: string;
  publicUrl: string | null;
  lifeSeconds: number;
}

/** Lax, so that a sign-in link opened from a mail works; other sites' forms are stopped by the cross-site check. */
export function createSessionCookie({
  basePath,
  publicUrl,
  lifeSeconds,
}: SessionCookieOptions): SessionCookie {
  let path = basePath || "/";
  let publicIsSecure = publicUrl !== null && new URL(publicUrl).protocol === "https:";
  return {
    read: (context) => getCookie(context, cookieName) ?? null,
    give(context, secret, secure) {
      setCookie(context, cookieName, secret, {
        path,
        maxAge: lifeSeconds,
        httpOnly: true,
        sameSite: "Lax",
        secure: secure || publicIsSecure,
      });
    },
    remove(context) {
      deleteCookie(context, cookieName, { path });
    },
  };
}
