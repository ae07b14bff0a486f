import type { VNode } from 'preact'
import type { SaidOf } from '../../feedback/sent-schema.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { type Href, links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { hx } from '../parts/hx.ts'
import { Empty } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Time } from '../parts/text.tsx'
import { AUTHORITY_WORDS, groundLabel, outcomeLabel } from '../sent-words.ts'
import { COUNT_WORDS, plain, reasonLabel } from '../words.ts'
import type { SentSignalView } from './sent-signal.tsx'

/** What an organisation wrote to the source, as it stands in the inbox. */
export interface Words {
  /** Of the place in the page that it belongs to. */
  id: string
  source: string
  authority?: string
  /** One person stood for a confirmation at critical alone. */
  single_reviewed: boolean
  reason?: string
  ground?: string
  note?: string
  category_suggested?: string
  counts: Readonly<Record<string, number>>
}

export const wordsId = (of: bigint | Uuid): string => `words-${of}`

/** What each organisation says last; people of others have no names here. */
export const SaidTable = ({ one, now, words }: SentSignalView): VNode => (
  <section aria-labelledby="said-title">
    <h2 id="said-title">What others say</h2>
    {one.said.length === 0 ? (
      <Empty title="Nobody has said anything yet">Recipients answer once they have taken it in or reviewed it.</Empty>
    ) : (
      <Table
        label="What others say"
        columns={[
          { title: 'Organisation' },
          { title: 'Says' },
          { title: 'Of its own hit', hint: 'It found the signal on its own platform and reviewed that' },
          { title: 'Seen again', numeric: true, hint: 'Hits after it had acted' },
          { title: 'When' },
          { title: 'Words' },
        ]}
      >
        {one.said.map((said) => (
          <Row key={said.giver} {...{ said, now, words }} signal={one.signal} />
        ))}
      </Table>
    )}
  </section>
)

interface RowProps {
  said: SaidOf
  signal: Uuid
  now: Date
  words: Words | undefined
}

const Row = ({ said, signal, now, words }: RowProps): VNode => (
  <tr>
    <th scope="row">{said.giver}</th>
    <td>{outcomeLabel(said.outcome)}</td>
    <td>{said.independent ? <Badge tone="accent">own hit reviewed</Badge> : <span class="muted">no</span>}</td>
    <td class="number">{said.seen_again === 0 ? <span class="muted">–</span> : said.seen_again}</td>
    <td>
      <Time at={said.at} now={now} />
    </td>
    <td>
      <WordsOf
        id={wordsId(said.place)}
        href={links.submissionWords(signal, said.place)}
        words={words}
        of={said.giver}
      />
    </td>
  </tr>
)

interface WordsProps {
  id: string
  href: Href
  /** Whose words. */
  of: string
  words: Words | undefined
}

/** Until they are asked for, the words are not on the page at all. */
export const WordsOf = ({ id, href, of, words }: WordsProps): VNode =>
  words?.id === id ? (
    <WordsShown words={words} />
  ) : (
    <div id={id}>
      <a
        class="button button-small"
        href={href}
        aria-label={`Reveal the words of ${of}`}
        {...hx({ get: href, target: `#${id}`, swap: 'outerHTML' })}
      >
        Reveal
      </a>
    </div>
  )

/** As text and never as anything else. */
export const WordsShown = ({ words }: { words: Words }): VNode => {
  const { authority, single_reviewed, reason, ground, note, category_suggested, counts } = words
  const told = Object.entries(counts)
  return (
    <div id={words.id} class="revealed" tabIndex={-1} data-focus>
      <Facts>
        {ground !== undefined && <Fact name="Ground">{groundLabel(ground)}</Fact>}
        {reason !== undefined && <Fact name="Reason">{reasonLabel(reason)}</Fact>}
        {category_suggested !== undefined && <Fact name="Suggests">{plain(category_suggested)}</Fact>}
        {told.length > 0 && <Fact name="Did">{told.map(([name, n]) => `${countLabel(name)} ${n}`).join(', ')}</Fact>}
        {single_reviewed && <Fact name="Reviewed by">one person alone, though it is critical</Fact>}
        {authority !== undefined && <Fact name="On whose word">{AUTHORITY_WORDS[authority] ?? plain(authority)}</Fact>}
      </Facts>
      {note === undefined ? <p class="muted">No note.</p> : <p class="words">{note}</p>}
    </div>
  )
}

const countLabel = (name: string): string => COUNT_WORDS[name as keyof typeof COUNT_WORDS] ?? plain(name)
