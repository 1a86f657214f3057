/** @jsxImportSource hono/jsx */
export interface SignInLinkProps {
  /** Where the form goes. */
  action: string;
  /** The token of the link. */
  token: string;
  /** Whose sign-in would end; null for nobody's. */
  signedInAs: string | null;
  homeHref: string;
}

/** For a link that was not simply opened: it must not sign somebody in who did not mean it. */
export function SignInLink({ action, token, signedInAs, homeHref }: SignInLinkProps) {
  return (
    <section class="card narrow">
      <h1>Sign in by this link?</h1>
      {signedInAs === null ? (
        <p>Go on when you trust who gave you the link.</p>
      ) : (
        <p>
          You are signed in as <strong>{signedInAs}</strong>. That ends in this browser when you go on.
        </p>
      )}
      <form method="post" action={action} class="actions">
        <input type="hidden" name="link" value={token} />
        <button type="submit">Sign in</button>
        <a class="button quiet" href={homeHref}>
          {signedInAs === null ? "Don’t sign in" : "Stay signed in"}
        </a>
      </form>
    </section>
  );
}
