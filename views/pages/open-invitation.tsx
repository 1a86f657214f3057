/** @jsxImportSource hono/jsx */
import { Layout } from "../layout.tsx";
import type { Site } from "../props.ts";

/** For somebody who has signed in already and opens an invitation's link. */
export function OpenInvitationPage({ site, action, secret }: { site: Site; action: string; secret: string }) {
  return (
    <Layout site={site} title="Invitation">
      <section class="card narrow">
        <h1>You are signed in already</h1>
        <p>
          This link lets people without an account send files. To go on as one of them, you are signed out
          here.
        </p>
        <form method="post" action={action} class="actions">
          <input type="hidden" name="key" value={secret} />
          <button type="submit">Sign out and open the invitation</button>
          <a class="button quiet" href={site.links.home}>
            Stay signed in
          </a>
        </form>
      </section>
    </Layout>
  );
}
