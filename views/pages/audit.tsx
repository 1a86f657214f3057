/** @jsxImportSource hono/jsx */
import { Moment } from "../fragments/moment.tsx";
import { Layout } from "../layout.tsx";
import type { AuditView, Site } from "../props.ts";

/** Who did what, the newest first; a form without scripts narrows it. */
export function AuditPage({ site, audit }: { site: Site; audit: AuditView }) {
  let { entries, jsonHref, nextHref } = audit;
  return (
    <Layout site={site} title="Audit" here="audit">
      <h1>Audit</h1>
      <Filters audit={audit} action={site.links.audit} />
      {entries.length === 0 ? (
        <div class="card nothing">
          <h2>Nothing is written down</h2>
          <p class="meta">Nothing that fits has happened, or it is older than what is kept.</p>
        </div>
      ) : (
        <Entries entries={entries} />
      )}
      <div class="row-of-two below">
        <a class="csv" href={jsonHref}>
          The same as JSON
        </a>
        {nextHref && (
          <nav class="actions" aria-label="Pages">
            <a class="button quiet" rel="next" href={nextHref}>
              Older
            </a>
          </nav>
        )}
      </div>
    </Layout>
  );
}

function Filters({ audit: { events, fields }, action }: { audit: AuditView; action: string }) {
  return (
    <search>
      <form class="filters" method="get" action={action} autocomplete="off">
        <div>
          <label for="event">Event</label>
          <select id="event" name="event">
            <option value="">any</option>
            {events.map((one) => (
              <option value={one} selected={one === fields.event}>
                {one.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        </div>
        <div class="grow">
          <label for="actor">Who</label>
          <input id="actor" name="actor" value={fields.actor} maxlength={200} />
        </div>
        <div>
          <label for="day">Day (UTC)</label>
          <input id="day" type="date" name="day" value={fields.day} />
        </div>
        <button type="submit">Show</button>
      </form>
    </search>
  );
}

function Entries({ entries }: Pick<AuditView, "entries">) {
  return (
    <div class="card wide">
      <table class="audit">
        <caption class="unseen">Events, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Event</th>
            <th scope="col">Who</th>
            <th scope="col">From</th>
            <th scope="col">Details</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ iso, event, actor, actorHref, address, requestId, detail }) => (
            <tr>
              <td class="date">
                <Moment iso={iso} />
              </td>
              <td class="event">{event.replaceAll("_", " ")}</td>
              <td class="who" dir="auto">
                <a href={actorHref}>{actor}</a>
              </td>
              <td class="from">{address ?? ""}</td>
              <td class="details" title={requestId === null ? undefined : `request ${requestId}`}>
                <code dir="auto">{detail}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
