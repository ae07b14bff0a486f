import type { VNode } from 'preact'
import type { WhoRead } from '../../governance/who-read.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { links } from '../links.ts'
import { CommandLine } from '../parts/command.tsx'
import { Button, Field } from '../parts/form.tsx'
import { Empty } from '../parts/note.tsx'
import { Pager, Table } from '../parts/table.tsx'
import { numberText, Time } from '../parts/text.tsx'

export interface ReadersProps {
  signal: Uuid | undefined
  found: WhoRead | undefined
  below: bigint | undefined
  now: Date
}

/** Who obtained one signal, and the proof of each time. */
export const ReadersPage = ({ signal, found, below, now }: ReadersProps): VNode => (
  <>
    <p class="lead">
      Who obtained one signal and when, by what their reads were committed to: exactly, not who might have. Each line is
      proved by a receipt that opens this one item and nothing else.
    </p>
    <form method="get" action={links.readers()} class="fields">
      <Field {...{ name: 'signal', label: 'Signal', value: signal, required: true, maxLength: 36, width: 'wide' }} />
      <Button kind="primary">Find</Button>
    </form>
    {found !== undefined && signal !== undefined && <Found {...{ found, signal, below, now }} />}
  </>
)

const Found = ({
  found,
  signal,
  below,
  now,
}: {
  found: WhoRead
  signal: Uuid
  below: bigint | undefined
  now: Date
}): VNode => {
  const { source, since, reads, looked, lost, next } = found
  return (
    <section class="part">
      <h2>
        Of {source}, shared <Time at={since} now={now} />
      </h2>
      {reads.length === 0 ? (
        <Empty
          title={lost === 0 ? 'Nobody obtained it in these reads' : 'No proof that somebody obtained it in these reads'}
        />
      ) : (
        <Table
          label="Who obtained the signal"
          columns={[{ title: 'Who' }, { title: 'When' }, { title: 'Revision', numeric: true }, { title: 'Proof' }]}
        >
          {reads.map(({ index, event, reader, at, revision }) => (
            <tr key={event} data-row>
              <td>{reader}</td>
              <td>
                <Time at={at} now={now} />
              </td>
              <td class="number">{revision}</td>
              <td>
                <a href={links.logEntry(index)} data-open-row>
                  entry {numberText(index)}
                </a>{' '}
                <a href={links.readerProof({ signal, event })} download>
                  receipt
                </a>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Pager
        label="Batches of reads"
        shown={`${looked} batches of reads opened${lost === 0 ? '' : `; of ${lost} there is no proof any more`}`}
        first={below === undefined ? undefined : links.readers({ signal })}
        next={next === undefined ? undefined : links.readers({ signal, below: String(next) })}
      />
      <CommandLine label="Verify a receipt" command="aldis verify RECEIPT" />
    </section>
  )
}
