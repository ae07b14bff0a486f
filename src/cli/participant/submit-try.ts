import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { derivedId } from '../../kernel/ids.ts'
import type { ItemResult, Submission } from '../../signals/schema.ts'
import { EXIT } from '../exit.ts'
import type { Session } from './session.ts'
import { linesFrom, type RawSource, type Signed } from './share.ts'

/** Signs under an upload that is none that was or will be, and has the node judge it; whatever happens, nothing is stored here or there. */
export async function tryOut(
  session: Session,
  source: RawSource,
  sign: (source: RawSource) => Promise<Signed>,
): Promise<void> {
  const upload = derivedId(randomBytes(32))
  try {
    await judge(session, await sign({ ...source, upload: async () => upload }))
  } finally {
    await rm(join(session.home.dir, 'uploads', upload), { recursive: true, force: true })
  }
}

/** Submission by submission. */
async function judge(session: Session, signed: Signed): Promise<void> {
  const { output, client } = session
  const told = { accepted: 0, refused: signed.refused.length }
  const bar = output.progress('judging', signed.items)
  try {
    for await (const { first, submission } of submissionsOf(signed)) {
      const { results } = await client.submit(submission, { dryRun: true })
      for (const result of results) {
        const [line = 0, type = ''] = signed.origin[String(first + 1 + result.index)] ?? []
        tell(session, { line, type, result })
        if (result.code === undefined) told.accepted += 1
        else told.refused += 1
      }
      bar.at(told.accepted + told.refused)
    }
  } finally {
    bar.end()
  }
  output.data(
    { outcome: 'tried', items: signed.items, ...told },
    `${told.accepted} would be shared, ${told.refused} refused; nothing was stored`,
  )
  if (told.refused > 0) process.exitCode = EXIT.someRefused
}

interface Tried {
  line: number
  type: string
  result: ItemResult
}

function tell({ output }: Session, { line, type, result }: Tried): void {
  const { status, code, pointer, detail, warning } = result
  if (code === undefined) {
    const outcome = status === 201 ? 'would_create' : 'would_revise'
    const warned = warning === undefined ? '' : `  warning: ${warning}`
    output.data({ line, outcome, type, warning }, `line ${line}  ${type.padEnd(15)}  would be shared${warned}`)
    return
  }
  const why = [code, pointer, detail].filter((part) => part !== undefined && part !== '').join('  ')
  output.data({ line, outcome: 'refused', type, code, pointer, detail }, `line ${line}  refused: ${why}`)
}

/** The signed lines as submissions, with the number of the first line of each. */
async function* submissionsOf(signed: Signed): AsyncGenerator<{ first: number; submission: Submission }> {
  let held: { first: number; submission: Submission } | undefined
  let line = 0
  for await (const text of linesFrom(signed, 1n)) {
    line += 1
    const value = JSON.parse(text) as Pick<Submission, 'jws'> | Submission['items'][number]
    if ('jws' in value) {
      if (held !== undefined) yield held
      held = { first: line, submission: { jws: value.jws, items: [] } }
    } else held?.submission.items.push(value)
  }
  if (held !== undefined) yield held
}
