import type { VNode } from 'preact'
import type { LimitList, LimitUse } from '../../usage/schema.ts'
import { links } from '../links.ts'
import { DeveloperViews } from '../parts/developer-views.tsx'
import { Empty } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { numberText, Time } from '../parts/text.tsx'
import { plain } from '../words.ts'

/** Of one credential, in this order. */
const CREDENTIAL_LIMITS = [
  ['requests_per_credential_burst', 'Requests at once'],
  ['refusals_per_credential_per_minute', 'Answers 403 or 404'],
  ['connections_per_credential', 'Connections'],
  ['streams_per_credential', 'Event streams'],
  ['uploads_per_credential', 'Uploads'],
] as const

const LIMIT_WORDS: Readonly<Record<string, string>> = {
  oprf_elements_per_day: 'Evaluations today',
  oprf_elements_burst: 'Evaluations at once',
  reveals_per_day: 'Sealed values revealed today',
  idempotency_keys_per_day: 'New Idempotency-Keys today',
  upload_jobs: 'Uploads that are not worked off',
  webhook_endpoints: 'Endpoints of webhooks',
}

const BUILD_WITH = [
  [links.manual('guides/engineer'), 'Guide for engineers', 'from a one-time code to a verified mirror'],
  [links.manual('api'), 'API reference', 'each operation with its shapes and refusals'],
  [links.openApi(), 'OpenAPI document', 'the same for tools'],
  [links.manual('partners'), 'How the API behaves', 'repeating, pages, tags, tokens, webhooks'],
  [links.manual('errors'), 'Errors', 'by code'],
  [links.manual('limits'), 'Limits', 'by name'],
] as const

/** What an organisation's programs use of their limits, and where its engineers go from here. */
export const DeveloperPage = ({ used, now }: { used: LimitList; now: Date }): VNode => (
  <>
    <p class="lead">
      What your programs use of their limits now, by the counters that refuse.{' '}
      <a href={links.manual('limits')}>Limits</a> tells how they are refused beyond each.
    </p>
    <DeveloperViews current="limits" />
    <section class="part" aria-labelledby="credentials-title">
      <h2 id="credentials-title">Credentials</h2>
      {used.credentials.length === 0 ? (
        <Empty title="None that works">Two administrators of the node open an enrolment for you.</Empty>
      ) : (
        <Credentials credentials={used.credentials} />
      )}
    </section>
    <section class="part" aria-labelledby="organisation-title">
      <h2 id="organisation-title">Your organisation</h2>
      <Table
        label="Limits of the organisation"
        columns={[{ title: 'Limit' }, { title: 'Used' }, { title: 'Begins anew' }]}
      >
        {used.limits.map((one) => (
          <tr key={`${one.name} ${one.purpose}`}>
            <td title={one.name}>{wordsOf(one)}</td>
            <td>
              <Used one={one} of={wordsOf(one)} />
            </td>
            <td>{one.resets_at !== undefined && <Time at={new Date(one.resets_at)} now={now} />}</td>
          </tr>
        ))}
      </Table>
    </section>
    <section class="part" aria-labelledby="build-title">
      <h2 id="build-title">To build with</h2>
      <ul class="rows">
        {BUILD_WITH.map(([href, title, what]) => (
          <li key={href}>
            <a href={href}>{title}</a> <span class="muted">{what}</span>
          </li>
        ))}
      </ul>
    </section>
  </>
)

const Credentials = ({ credentials }: Pick<LimitList, 'credentials'>): VNode => (
  <Table
    label="Limits by credential"
    columns={[{ title: 'Credential' }, ...CREDENTIAL_LIMITS.map(([, title]) => ({ title }))]}
  >
    {credentials.map(({ credential, label, limits }) => (
      <tr key={credential}>
        <td title={credential}>{label}</td>
        {CREDENTIAL_LIMITS.map(([name, title]) => (
          <td key={name}>
            <Used one={limits.find((one) => one.name === name)} of={`${title} of ${label}`} />
          </td>
        ))}
      </tr>
    ))}
  </Table>
)

const wordsOf = ({ name, purpose }: LimitUse): string =>
  `${LIMIT_WORDS[name] ?? plain(name)}${purpose === undefined ? '' : `, to ${purpose === 'lookup' ? 'look up' : purpose}`}`

const Used = ({ one, of }: { one: LimitUse | undefined; of: string }): VNode | null =>
  one === undefined ? null : (
    <>
      <meter min={0} max={Math.max(1, one.limit)} value={one.used} aria-label={of} /> {numberText(one.used)}
      <span class="muted"> of {numberText(one.limit)}</span>
    </>
  )
