import type { VNode } from 'preact'
import type { RevisionPlace, WordsInfo } from '../../feeds/pattern-schema.ts'
import type { PatternDiff } from '../../matching/pattern-diff.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { Button } from '../parts/form.tsx'
import { hx } from '../parts/hx.ts'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, Key, Time } from '../parts/text.tsx'
import { plain } from '../words.ts'
import { Revealed } from './case-facts.tsx'
import { SeverityMark } from './case-parts.tsx'
import { kindLabel } from './tactics.tsx'

/** What a person asked to see, each a read of its own. */
export type Shown =
  | { of: 'words'; revision: number; item: SignalItem }
  | { of: 'diff'; from: number; to: number; diff: PatternDiff }
  | { of: 'tactic-diff'; from: number; to: number; changed: readonly string[] }

export interface TacticView {
  one: WordsInfo
  revisions: readonly RevisionPlace[]
  shown?: Shown
  now: Date
}

/** One pattern or tactic: its codes, its revisions, and its words once they are asked for. */
export const TacticPage = ({ one, revisions, shown, now }: TacticView): VNode => (
  <div class="tactic">
    <p class="crumbs">
      <a href={links.tactics()} data-key="u">
        All patterns and tactics
      </a>
    </p>
    <div class="columns">
      <div class="part">
        <section class="panel" aria-labelledby="words-title">
          <h2 id="words-title">Words</h2>
          {shown === undefined ? <Ask one={one} /> : <ShownPart shown={shown} />}
        </section>
        <Revisions one={one} revisions={revisions} now={now} />
      </div>
      <section class="part" aria-labelledby="facts-title">
        <h2 id="facts-title">Facts</h2>
        <Facts>
          <Fact name="Id">
            <Hash value={one.signal} label="id" />
          </Fact>
          <Fact name="What">{kindLabel(one)}</Fact>
          {one.language !== undefined && <Fact name="Language">{one.language}</Fact>}
          <Fact name="From">{one.source}</Fact>
          <Fact name="Category">{plain(one.category)}</Fact>
          <Fact name="Severity">
            <SeverityMark severity={one.severity} />
          </Fact>
          <Fact name="Basis">
            {plain(one.basis)}, confidence {one.confidence} of 100
          </Fact>
          <Fact name="Seen">
            <Time at={new Date(one.observed_at)} now={now} />
          </Fact>
          <Fact name="Expires">
            <Time at={new Date(one.expires_at)} now={now} />
          </Fact>
        </Facts>
      </section>
    </div>
  </div>
)

const Ask = ({ one }: { one: WordsInfo }): VNode => {
  const href = links.tacticWords(one.source, one.signal, one.revision)
  return (
    <div id="shown" class="reveal">
      <p>The words are not on this page. They may be hard to read.</p>
      <a
        class="button button-plain"
        href={href}
        data-key="R"
        {...hx({ get: href, target: '#shown', swap: 'outerHTML' })}
      >
        Reveal <Key>R</Key>
      </a>
      <p class="hint">Asking for it is recorded in the log, as each look at a signal is.</p>
    </div>
  )
}

/** In the place of the question, and the fragment that htmx puts there. */
export const ShownPart = ({ shown }: { shown: Shown }): VNode => (
  <div id="shown">
    {shown.of === 'words' && <Words revision={shown.revision} item={shown.item} />}
    {shown.of === 'diff' && <Diff {...shown} />}
    {shown.of === 'tactic-diff' && (
      <div class="revealed" tabIndex={-1} data-focus>
        <h3>
          Revision {shown.from} to {shown.to}
        </h3>
        <p>
          {shown.changed.length === 0
            ? 'No difference.'
            : `Changed: ${shown.changed.map((one) => plain(one)).join(', ')}.`}
        </p>
      </div>
    )}
  </div>
)

const Words = ({ revision, item }: { revision: number; item: SignalItem }): VNode => {
  const { note } = item
  const texts = {
    ...(note !== undefined && { note }),
    ...(item.type === 'keyword_pattern' && { pattern: item.value }),
    ...(item.type === 'tactic' && { tactic: item.value }),
  }
  return (
    <>
      <p class="muted">Revision {revision}</p>
      <Revealed texts={texts} />
      {item.type === 'keyword_pattern' && <TryForm pattern={JSON.stringify(item.value)} />}
    </>
  )
}

/** Shown by the script that can do it; neither field has a name, so that nothing of them is ever sent. */
const TryForm = ({ pattern }: { pattern: string }): VNode => (
  <>
    <noscript>
      <p class="hint">
        To try it on a list of your own, run <code>aldis pattern test</code> where the list is.
      </p>
    </noscript>
    <form id="try" class="fields try" data-pattern={pattern} hidden>
      <h3>Try it on a list of your own</h3>
      <div class="field">
        <label for="own-list">Texts, one a line</label>
        <textarea id="own-list" class="input" rows={6} spellcheck={false} aria-describedby="own-hint" />
        <p class="hint" id="own-hint">
          The list stays in this tab. Take texts that should not be hit: each hit is a false positive.
        </p>
      </div>
      <div class="field">
        <label for="own-file">Or a text file, read here</label>
        <input type="file" id="own-file" accept=".txt,text/plain" />
      </div>
      <Button kind="primary">Try it here</Button>
      <div id="tried" role="status" />
    </form>
  </>
)

const Diff = ({ from, to, diff }: Extract<Shown, { of: 'diff' }>): VNode => {
  const { changed, text, must_match, must_not_match } = diff
  const none =
    changed.length === 0 &&
    text === undefined &&
    [must_match, must_not_match].every((one) => one.added.length + one.removed.length === 0)
  return (
    <div class="revealed diff" tabIndex={-1} data-focus>
      <h3>
        Revision {from} to {to}
      </h3>
      {none && <p>No difference.</p>}
      {changed.map(({ member, before, after }) => (
        <p key={member}>
          {plain(member)}: {before} → {after}
        </p>
      ))}
      {text !== undefined && (
        <p class="words">
          <code>
            {text.head}
            {text.removed !== '' && <del>{text.removed}</del>}
            {text.added !== '' && <ins>{text.added}</ins>}
            {text.tail}
          </code>
        </p>
      )}
      <Strings title="Must match" {...must_match} />
      <Strings title="Must not match" {...must_not_match} />
    </div>
  )
}

const Strings = ({
  title,
  added,
  removed,
}: {
  title: string
  added: readonly string[]
  removed: readonly string[]
}): VNode | null =>
  added.length + removed.length === 0 ? null : (
    <>
      <h4>{title}</h4>
      <ul class="words">
        {removed.map((one) => (
          <li key={`-${one}`}>
            <del>{one}</del>
          </li>
        ))}
        {added.map((one) => (
          <li key={`+${one}`}>
            <ins>{one}</ins>
          </li>
        ))}
      </ul>
    </>
  )

const Revisions = ({ one, revisions, now }: Pick<TacticView, 'one' | 'revisions' | 'now'>): VNode => (
  <section class="panel" aria-labelledby="revisions-title">
    <h2 id="revisions-title">Revisions</h2>
    <Table
      label="Revisions"
      columns={[{ title: 'Revision', numeric: true }, { title: 'Sent' }, { title: 'Look at it' }]}
    >
      {revisions.map(({ revision, at }, i) => {
        const before = revisions[i + 1]?.revision
        const words = links.tacticWords(one.source, one.signal, revision)
        return (
          <tr key={revision}>
            <td class="number">{revision}</td>
            <td>
              <Time at={at} now={now} />
            </td>
            <td class="row-links">
              <a href={words} {...hx({ get: words, target: '#shown', swap: 'outerHTML' })}>
                Reveal revision {revision}
              </a>
              {before !== undefined && <DiffLink one={one} from={before} to={revision} />}
            </td>
          </tr>
        )
      })}
    </Table>
    <p class="hint">A revision is one read; a difference shows two, and is two.</p>
  </section>
)

const DiffLink = ({ one, from, to }: { one: WordsInfo; from: number; to: number }): VNode => {
  const href = links.tacticDiff(one.source, one.signal, to)
  return (
    <a href={href} {...hx({ get: href, target: '#shown', swap: 'outerHTML' })}>
      What changed since {from}
    </a>
  )
}
