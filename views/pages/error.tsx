/** @jsxImportSource hono/jsx */
import { ErrorFacts } from "../fragments/error.tsx";
import { Layout } from "../layout.tsx";
import type { ErrorView, Site } from "../props.ts";

export function ErrorPage({ site, error }: { site: Site; error: ErrorView }) {
  return (
    <Layout site={site} title={error.title}>
      <section class="card error-page">
        <p class="status">{error.status}</p>
        <h1>{error.title}</h1>
        <p class="lead">{error.message}</p>
        <ErrorFacts error={error} />
        <p class="actions">
          {error.status === 401 && (
            <a class="button" href={site.links.signIn}>
              Sign in
            </a>
          )}
          <a class="button quiet" href={site.links.home}>
            To the start page
          </a>
        </p>
      </section>
    </Layout>
  );
}
