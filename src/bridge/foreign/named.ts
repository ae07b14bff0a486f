import type { StixFault, StixLine } from '../../interop/stix/from-stix.ts'
import { contextIn } from '../../interop/threatexchange/from-threat.ts'
import { type ErrorCode, isErrorCode } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { send } from '../forward.ts'
import { type NodeLink, refusalAtNode } from '../node-link.ts'
import type { Place, Writing } from '../writing.ts'
import type { ForeignClient } from './clients.ts'

/** What an object of STIX became, and of which signal it is. */
export interface NamedLine {
  line: StixLine
  place: Place
}

interface Named {
  audience: Uuid
  client: ForeignClient
  lines: readonly NamedLine[]
}

/** Signs and sends signals that were named before; answers why some were refused, by their place. Throws what the node says of all. */
export async function submitNamed(
  { link, writing }: { link: NodeLink; writing: Writing },
  { audience, client, lines }: Named,
): Promise<ReadonlyMap<number, StixFault>> {
  const faults = new Map<number, StixFault>()
  const asked = lines.flatMap(({ line, place }, i) => {
    const full = completed(line, client)
    if ('pointer' in full) faults.set(i, full)
    return 'pointer' in full ? [] : [{ i, place, line: full }]
  })
  const [first] = asked
  if (first === undefined) return faults
  const body = { audience, context: first.line.context, lines: asked.map(({ line }) => submitLine(line)) }
  const places = asked.map(({ place }) => place)
  const { written, refused } = await writing.named(body, places)
  const at = (line: number): number => asked[line]?.i ?? line
  for (const { line, reason } of refused)
    faults.set(at(line), { code: 'validation-failed', pointer: '', detail: reason })
  if (written === undefined) return faults
  const { results = [] } = await link
    .ask(() => send(link, written, written.body))
    .catch((error: unknown) => {
      throw refusalAtNode(error)
    })
  for (const { line, code, pointer = '' } of results)
    if (code !== undefined) faults.set(at(line), { code: knownCode(code), pointer, detail: '' })
  return faults
}

export const knownCode = (code: string): ErrorCode => (isErrorCode(code) ? code : 'internal')

type Completed = StixLine & Required<Pick<StixLine, 'category' | 'context'>>

/** With what holds for all that a client writes, where the object says neither. */
function completed(line: StixLine, client: ForeignClient): Completed | StixFault {
  const { category = client.category, context = contextIn(client.context) } = line
  const missing = category === undefined ? '/category' : '/context'
  if (category === undefined || context === undefined)
    return { code: 'validation-failed', pointer: missing, detail: 'not said, neither here nor of the client' }
  return { ...line, category, context }
}

/** As the bridge takes lines of its own clients. */
function submitLine(line: Completed): object {
  if (!('raw' in line)) return line
  const { raw, ...rest } = line
  return { ...rest, value: raw }
}
