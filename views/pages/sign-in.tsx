export interface SignInPageProps {
  /** Where the form goes. */
  action: string;
  /** Why the last try failed. */
  problem: string | null;
}

export function SignInPage({ action, problem }: SignInPageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Sign in</title>
      </head>
      <body>
        <main>
          <h1>Sign in</h1>
          {problem === null ? null : <p role="alert">{problem}</p>}
          <form method="post" action={action}>
            <p>
              <label for="token">Access token</label>
            </p>
            <p>
              <input
                id="token"
                name="token"
                type="password"
                autocomplete="current-password"
                autofocus
                required
              />
            </p>
            <button type="submit">Sign in</button>
          </form>
          <p>
            Without a token, ask the person who runs this server; <code>s3-uploads token create</code> makes
            one.
          </p>
        </main>
      </body>
    </html>
  );
}
