import type { VNode } from 'preact'
import { fieldOf } from '../../provenance/commitment.ts'
import type { LogEntry } from '../../provenance/explorer.ts'
import type { ProofStep } from '../../provenance/proof-steps.ts'
import { parseReceipt } from '../../provenance/receipt.ts'
import { links } from '../links.ts'
import { kindLabel } from '../log-words.ts'
import { CommandLine } from '../parts/command.tsx'
import { Note } from '../parts/note.tsx'
import { Fact, Facts } from '../parts/table.tsx'
import { Hash, numberText, Time } from '../parts/text.tsx'
import { whomToCall } from './explorer.tsx'
import { ProofSteps } from './proof-steps.tsx'

export interface EntryView {
  index: bigint
  /** Absent where the entry is none of the viewer's, or they may not look for entries. */
  entry: LogEntry | undefined
  receipt: string | undefined
  /** As this server found them; absent before a checkpoint covers the entry. */
  steps: readonly ProofStep[] | undefined
  facts: { size: bigint; root: string } | undefined
  log: { id: number; vkey: string }
  contact: string | undefined
  now: Date
}

/** One entry: what it says to the viewer, and what shows that it is in the log. */
export const EntryPage = (view: EntryView): VNode => (
  <div class="entry">
    <div class="columns">
      <Proof {...view} />
      <section class="part">
        <h2>What it says</h2>
        <Says {...view} />
      </section>
    </div>
    <nav class="pager" aria-label="Entries">
      {view.index > 0n && <a href={links.logEntry(view.index - 1n)}>Entry before</a>}
      {view.facts !== undefined && view.index + 1n < view.facts.size && (
        <a href={links.logEntry(view.index + 1n)}>Entry after</a>
      )}
    </nav>
  </div>
)

const Proof = (view: EntryView): VNode => {
  const { index, steps, facts, log, contact, receipt, now } = view
  if (steps === undefined || facts === undefined)
    return (
      <section class="part">
        <h2>Proof</h2>
        <Note title="Pending">
          <p>The checkpoint that covers this entry is still to come, within seconds. Load the page again.</p>
        </Note>
      </section>
    )
  const failed = steps.some(({ result }) => result === 'FAIL')
  return (
    <section
      class="part"
      id="proof"
      data-index={String(index)}
      data-log={String(log.id)}
      data-vkey={log.vkey}
      data-contact={whomToCall(contact)}
    >
      <h2>Proof</h2>
      <div id="proof-verdict" role="status">
        <Note
          tone={failed ? 'crit' : 'info'}
          title={
            failed
              ? 'FAILED: this entry does not fit the signed log'
              : `Verified by server at ${now.toISOString().slice(11, 16)} UTC`
          }
        >
          <p>
            {failed
              ? whomToCall(contact)
              : 'The server found this of itself. With JavaScript your browser does every step again, from the log’s own files.'}
          </p>
        </Note>
      </div>
      <ProofSteps steps={steps} />
      <p class="proof-tools">
        <button type="button" class="button" id="prove-again" hidden>
          Run again
        </button>
        {receipt !== undefined && (
          <a href={`${links.logEntry(index)}/receipt`} download>
            Receipt
          </a>
        )}
        <a href={links.validator()}>Check a file</a>
      </p>
      {receipt !== undefined && (
        <CommandLine label="The independent check" command={`aldis verify entry-${index}.receipt --vkey log.vkey`} />
      )}
      <p class="muted">
        The code that checks came from this node too. <code>aldis verify</code>, run at home with the log’s key that you
        pinned, is the check that does not depend on it.
      </p>
      <details class="exact">
        <summary>Key, root and receipt</summary>
        <Facts>
          <Fact name="key">
            <Hash value={log.vkey} label="key of the log" whole />
          </Fact>
          <Fact name="root">
            <Hash value={facts.root} label="root" whole />
          </Fact>
          <Fact name="entries">{numberText(facts.size)}</Fact>
        </Facts>
        {receipt !== undefined && (
          <pre class="bytes" id="receipt">
            {receipt}
          </pre>
        )}
      </details>
    </section>
  )
}

const Says = ({ entry, receipt, now }: EntryView): VNode => {
  if (entry === undefined)
    return (
      <p class="muted">What the entry says is for its parties and for auditors; a number tells nobody what happened.</p>
    )
  const { kind, actor, at, recipients, erased, event } = entry
  return (
    <>
      <Facts>
        <Fact name="what">
          {kindLabel(kind)} <code class="muted">{kind}</code>
        </Fact>
        <Fact name="by">{actor}</Fact>
        <Fact name="when">
          <Time at={at} now={now} />
        </Fact>
        <Fact name="to">{recipients.length === 0 ? 'nobody else' : recipients.join(', ')}</Fact>
        <Fact name="event">
          <Hash value={event} label="event" whole />
        </Fact>
      </Facts>
      {erased > 0 && (
        <Note title={`${erased} ${erased === 1 ? 'field was' : 'fields were'} erased`}>
          <p>What they said is gone; their hashes stand where they were, and the proof holds without them.</p>
        </Note>
      )}
      <Opened receipt={receipt} />
      <More entry={entry} />
    </>
  )
}

/** The fields that the viewer may open, as they were committed. */
const Opened = ({ receipt }: { receipt: string | undefined }): VNode | null => {
  const extra = receipt === undefined ? undefined : parseReceipt(receipt)?.extra
  if (extra === undefined) return null
  const fields = extra.disclosures.flatMap((one) => fieldOf(one) ?? [])
  return (
    <>
      <h3>Fields that you may open</h3>
      <dl class="facts fields-opened">
        {fields.map(({ name, value }, i) => (
          <Fact key={`${name} ${i}`} name={name.replaceAll('_', ' ')}>
            <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
          </Fact>
        ))}
      </dl>
      <p class="muted">Others of its hashes are padding, or fields of somebody else.</p>
    </>
  )
}

const READABLE: ReadonlySet<string> = new Set(['signal.submitted', 'signal.revised'])

/** From one entry to those that belong to it. */
const More = ({ entry: { kind, actor, at } }: { entry: LogEntry }): VNode => (
  <>
    <h3>From here</h3>
    <ul class="entry-more">
      {READABLE.has(kind) && (
        <li>
          <a
            href={links.explorer({
              q: `kind:read.batch party:${actor} at>=${at.toISOString().replace(/\.\d+Z$/, 'Z')}`,
            })}
          >
            Who read signals of {actor} since
          </a>
        </li>
      )}
      <li>
        <a href={links.explorer({ q: `actor:${actor}` })}>Everything that {actor} did</a>
      </li>
      <li>
        <a href={links.explorer({ q: `kind:${kind}` })}>Every entry of this kind</a>
      </li>
    </ul>
  </>
)
