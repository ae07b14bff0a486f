import type { VNode } from 'preact'
import type { CaseInfo, CaseTexts, SignalSaid } from '../../review/schema.ts'
import { links } from '../links.ts'
import { hx } from '../parts/hx.ts'
import { Fact, Facts as FactList } from '../parts/table.tsx'
import { Hash, Time } from '../parts/text.tsx'
import { plain } from '../words.ts'

interface FactsProps {
  one: CaseInfo
  now: Date
  audience: string | undefined
  texts?: CaseTexts | undefined
  /** The sealed link, where the page is one on which it is asked for. */
  link?: VNode
}

/** Codes and facts first: words come only when somebody asks for them. */
export const Facts = ({ one, now, audience, texts, link }: FactsProps): VNode => (
  <section class="panel" aria-labelledby="facts-title">
    <h2 id="facts-title">Facts</h2>
    <FactList>
      {one.said?.value !== undefined && (
        <Fact name="Value">
          <Hash value={one.said.value.hash} label="value" /> <span class="muted">rule {one.said.value.rule}</span>
        </Fact>
      )}
      <Fact name="From">{one.source}</Fact>
      {one.said === undefined ? <Gone one={one} /> : <Said said={one.said} one={one} now={now} audience={audience} />}
    </FactList>
    {one.said !== undefined && <Texts one={one} texts={texts} kinds={one.said.texts} />}
    {link}
  </section>
)

const Gone = ({ one }: { one: CaseInfo }): VNode => (
  <Fact name="Signal">No longer live, or not yours to see; it was at revision {one.revision}.</Fact>
)

interface SaidProps {
  said: SignalSaid
  one: CaseInfo
  now: Date
  audience: string | undefined
}

const Said = ({ said, one, now, audience }: SaidProps): VNode => (
  <>
    <Fact name="Seen">
      <Time at={new Date(said.observed_at)} now={now} />
    </Fact>
    <Fact name="Basis">
      {plain(said.basis)}, confidence {one.confidence} of 100
    </Fact>
    <Fact name="Asks for">{plain(said.handling)}</Fact>
    <Fact name="Shared">
      TLP {said.tlp}
      {audience !== undefined && `, with ${audience}`}
    </Fact>
    <Fact name="Collected">
      {said.region}, {plain(said.legal_basis)}, {said.surface} surface
    </Fact>
    <Fact name="Expires">
      <Time at={new Date(said.expires_at)} now={now} />
    </Fact>
    <Fact name="Revision">{said.revision}</Fact>
  </>
)

const KIND_WORDS = {
  note: 'a note',
  pattern: 'a text pattern with its test strings',
  tactic: 'a description of a tactic',
} as const

interface TextsProps {
  one: Pick<CaseInfo, 'case'>
  texts: CaseTexts | undefined
  kinds: SignalSaid['texts']
}

/** Until they are asked for, the words are not on the page at all. */
function Texts({ one, texts, kinds }: TextsProps): VNode {
  if (kinds.length === 0 && texts === undefined) return <p class="muted">The source wrote no words.</p>
  if (texts !== undefined) return <Revealed texts={texts} />
  return (
    <div id="texts" class="reveal">
      <p>The source wrote {kinds.map((kind) => KIND_WORDS[kind]).join(' and ')}. It may be hard to read.</p>
      <a
        class="button button-plain"
        href={links.caseTexts(one.case)}
        data-key="R"
        {...hx({ get: links.caseTexts(one.case), target: '#texts', swap: 'outerHTML' })}
      >
        Reveal{' '}
        <span class="key" aria-hidden="true">
          R
        </span>
      </a>
      <p class="hint">Asking for it is recorded in the log, as each look at a signal is.</p>
    </div>
  )
}

/** The words themselves, shown as text and never as anything else. */
export const Revealed = ({ texts: { note, pattern, tactic } }: { texts: Omit<CaseTexts, 'case'> }): VNode => (
  <div id="texts" class="revealed" tabIndex={-1} data-focus>
    {note !== undefined && (
      <>
        <h3>Note of the source</h3>
        <p class="words">{note}</p>
      </>
    )}
    {pattern !== undefined && <Pattern pattern={pattern} />}
    {tactic !== undefined && (
      <>
        <h3>{tactic.title}</h3>
        <Lines title="Steps" lines={tactic.steps} />
        <Lines title="Lures" lines={tactic.lures} />
        <Lines title="How it is found" lines={tactic.detection} />
        <Lines title="Surfaces" lines={tactic.surfaces} />
        <Lines title="Payment" lines={tactic.payment_rails} />
      </>
    )}
    {note === undefined && pattern === undefined && tactic === undefined && <p class="muted">There are no words.</p>}
  </div>
)

const Pattern = ({ pattern }: { pattern: NonNullable<CaseTexts['pattern']> }): VNode => (
  <>
    <h3>Pattern</h3>
    <p class="words">
      <code>{pattern.text}</code>
    </p>
    <p class="muted">
      {pattern.kind === 're2' ? 'Expression (RE2)' : 'Literal'}, language {pattern.language},{' '}
      {pattern.case_sensitive ? 'case counts' : 'case does not count'}
      {pattern.whole_word ? ', whole words' : ''}
    </p>
    <Lines title="Must match" lines={pattern.must_match} />
    <Lines title="Must not match" lines={pattern.must_not_match} />
  </>
)

const Lines = ({ title, lines }: { title: string; lines: readonly string[] }): VNode | null =>
  lines.length === 0 ? null : (
    <>
      <h4>{title}</h4>
      <ul class="words">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  )
