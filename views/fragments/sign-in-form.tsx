/** @jsxImportSource hono/jsx */
export interface SignInFormProps {
  /** Where the form goes. */
  action: string;
  /** Why the last try failed. */
  problem: string | null;
}

export function SignInForm({ action, problem }: SignInFormProps) {
  return (
    <section class="card sign-in">
      <h1>Sign in</h1>
      {problem === null ? null : (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
      <form method="post" action={action}>
        <p>
          <label for="token">Access token</label>
          <input id="token" name="token" type="password" autocomplete="current-password" autofocus required />
        </p>
        <p>
          <button type="submit">Sign in</button>
        </p>
      </form>
      <p class="meta">
        Without a token, ask the person who runs this server; <code>s3-uploads token create</code> makes one.
      </p>
    </section>
  );
}
