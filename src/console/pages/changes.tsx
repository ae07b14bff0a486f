import type { VNode } from 'preact'
import type { ListedPolicy } from '../../participants/policy-list.ts'
import type { ListedReport } from '../../publishing/service.ts'
import { links } from '../links.ts'
import { Empty } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { Time } from '../parts/text.tsx'
import { plain } from '../words.ts'
import { periodText } from './reports.tsx'

export interface ChangesProps {
  policies: readonly ListedPolicy[]
  reports: readonly ListedReport[]
}

/** What the programme goes by, for everybody: each version under the hash that the log names. */
export const ChangesPage = ({ policies, reports }: ChangesProps): VNode => (
  <>
    <p>
      Each version was published by two persons, and the provenance log names its SHA-256: whoever takes part can prove
      what held when.
    </p>
    <h2>Policies</h2>
    {policies.length === 0 ? (
      <Empty title="Nothing was published yet" />
    ) : (
      <Table
        label="Versions of policies"
        columns={[
          { title: 'Policy' },
          { title: 'Version', numeric: true },
          { title: 'Published' },
          { title: 'SHA-256' },
        ]}
      >
        {policies.map(({ kind, version, digest, published_at, agreement }) => (
          <tr key={`${kind} ${version}`}>
            <td>
              <a href={links.policy(kind, version)}>{plain(kind)}</a>
              {agreement !== undefined && ` ${agreement.label}, from ${agreement.effective_from.slice(0, 10)} on`}
            </td>
            <td class="number">{version}</td>
            <td>
              <Time at={published_at} />
            </td>
            <td>
              <code class="wrapped">{digest}</code>
            </td>
          </tr>
        ))}
      </Table>
    )}
    <h2>Transparency reports</h2>
    {reports.length === 0 ? (
      <Empty title="No report was published yet" />
    ) : (
      <ul>
        {reports.map(({ digest, period }) => (
          <li key={digest}>
            {periodText(period)}, SHA-256 <code class="wrapped">{digest}</code>
          </li>
        ))}
      </ul>
    )}
  </>
)

export interface AgreementsProps {
  versions: readonly ListedPolicy[]
  accepted: readonly { slug: string; version: string | undefined; at: Date | undefined }[]
  now: Date
}

/** Which agreement holds from when on, and who has accepted which. */
export const AgreementsPage = ({ versions, accepted, now }: AgreementsProps): VNode => {
  const current = versions.find(
    ({ agreement }) => agreement !== undefined && new Date(agreement.effective_from) <= now,
  )?.agreement
  return (
    <>
      <p class="lead">
        {current === undefined
          ? 'No version of the agreement is in force. It is published as the policy agreement, by two persons.'
          : `${current.label} is in force since ${current.effective_from.slice(0, 10)}.`}
      </p>
      <section class="part">
        <h2>Who has accepted which</h2>
        <Table
          label="Acceptance of the agreement"
          columns={[{ title: 'Participant' }, { title: 'Version' }, { title: 'Accepted' }, { title: 'In force' }]}
        >
          {accepted.map(({ slug, version, at }) => (
            <tr key={slug}>
              <td>{slug}</td>
              <td>{version ?? 'none'}</td>
              <td>{at !== undefined && <Time at={at} now={now} />}</td>
              <td>{current === undefined ? '' : version === current.label ? 'yes' : 'no'}</td>
            </tr>
          ))}
        </Table>
      </section>
      <section class="part">
        <h2>Versions</h2>
        <ul>
          {versions.map(({ version, agreement, published_at }) => (
            <li key={version}>
              {agreement?.label}, from {agreement?.effective_from.slice(0, 10)} on, published <Time at={published_at} />
              , document SHA-256 <code class="wrapped">{agreement?.sha256}</code>
            </li>
          ))}
        </ul>
      </section>
    </>
  )
}
