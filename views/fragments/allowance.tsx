/** @jsxImportSource hono/jsx */
import { exactBytes, shortBytes } from "../format.ts";
import type { AllowanceView } from "../props.ts";
import { Moment } from "./moment.tsx";

/** What may still be sent; asks for itself again when an upload has changed it. */
export function Allowance({ allowance, homeHref }: { allowance: AllowanceView; homeHref: string }) {
  let { invitation, leftBytes, leftFiles } = allowance;
  return (
    <section
      id="allowance"
      class="card allowance"
      aria-labelledby={invitation ? "allowance-title" : undefined}
      hx-get={homeHref}
      hx-trigger="filesChanged from:body"
      hx-select="#allowance"
      hx-target="this"
      hx-swap="outerHTML"
    >
      {invitation && <h1 id="allowance-title">You are invited to send files</h1>}
      {invitation && invitation.note !== "" && <p class="note">{invitation.note}</p>}
      {isUsedUp(allowance) ? (
        <p class="warning">Everything that may be sent this way has been sent. Thank you!</p>
      ) : (
        <p class="meta">
          {leftFiles !== null && <span>{leftFiles === 1 ? "1 more file" : `${leftFiles} more files`}</span>}
          {leftBytes !== null && (
            <span title={exactBytes(leftBytes)}>
              {shortBytes(leftBytes)} {leftFiles === null ? "more" : "more in all"}
            </span>
          )}
          {invitation && (
            <span>
              until <Moment iso={invitation.until} />
            </span>
          )}
        </p>
      )}
    </section>
  );
}

export function isUsedUp(allowance: AllowanceView | null): boolean {
  return allowance !== null && (allowance.leftBytes === 0 || allowance.leftFiles === 0);
}
