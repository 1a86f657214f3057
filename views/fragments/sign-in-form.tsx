/** @jsxImportSource hono/jsx */
export interface SignInFormProps {
  /** Where the form goes. */
  action: string;
  /** Why the last try failed. */
  problem: string | null;
  /** Whether anybody can sign in by name; else only tokens do. */
  hasUsers: boolean;
}

export function SignInForm({ action, problem, hasUsers }: SignInFormProps) {
  return (
    <section class="card sign-in">
      <h1>Sign in</h1>
      {problem === null ? null : (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
      {hasUsers && (
        <form method="post" action={action}>
          <p>
            <label for="name">Name</label>
            <input
              id="name"
              name="name"
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              autofocus
              required
            />
          </p>
          <p>
            <label for="password">Password</label>
            <input id="password" name="password" type="password" autocomplete="current-password" required />
          </p>
          <p>
            <button type="submit">Sign in</button>
          </p>
        </form>
      )}
      {hasUsers ? (
        <details open={problem?.includes("token")}>
          <summary>Sign in with an access token</summary>
          <TokenForm action={action} isFirst={false} />
        </details>
      ) : (
        <>
          <TokenForm action={action} isFirst />
          <p class="meta">
            Without a token, ask the person who runs this server; <code>s3-uploads token create</code> makes
            one.
          </p>
        </>
      )}
    </section>
  );
}

function TokenForm({ action, isFirst }: { action: string; isFirst: boolean }) {
  return (
    <form method="post" action={action}>
      <p>
        <label for="token">Access token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete={isFirst ? "current-password" : "off"}
          autofocus={isFirst}
          required
        />
      </p>
      <p>
        <button type="submit" class={isFirst ? undefined : "quiet"}>
          Sign in{isFirst ? "" : " with the token"}
        </button>
      </p>
    </form>
  );
}
