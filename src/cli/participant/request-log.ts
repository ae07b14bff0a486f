import { type Command, Option } from 'commander'
import {
  type LoggedRequest,
  REQUESTS_PAGE_MAX,
  type RequestFilter,
  STATUS_CLASSES,
  type StatusClass,
} from '../../usage/schema.ts'
import { columns } from '../output.ts'
import { wholeOption } from '../whole-option.ts'
import { type Session, withSession } from './session.ts'

interface Asked {
  code?: string
  status?: StatusClass
  route?: string
  id?: string
  limit: number
}

/** Of one run. */
const MOST = 100_000

export function requestLogCommand(program: Command): void {
  program
    .command('request-log')
    .description('list what our programs asked of the node in seven days and how it answered, the newest first')
    .option('--code <code>', 'refused under this code')
    .addOption(new Option('--status <class>', 'answered so').choices(STATUS_CLASSES))
    .option('--route <pattern>', 'of this route, such as /v1/feeds/:feed/events')
    .option('--id <request>', 'the one that an answer or a problem document names as request_id')
    .option('--limit <n>', 'at most so many', wholeOption(1, MOST), 50)
    .action((asked: Asked, command: Command) => withSession(command, (session) => list(session, asked)))
}

async function list({ client, output }: Session, { limit, ...asked }: Asked): Promise<void> {
  const filter = filterOf(asked)
  let [left, cursor, dropped] = [limit, undefined as string | undefined, 0]
  do {
    const of = { ...filter, limit: Math.min(left, REQUESTS_PAGE_MAX), ...(cursor !== undefined && { cursor }) }
    const page = await client.usage.requests(of)
    for (const one of page.requests) output.data(one, columns([cellsOf(one)]))
    left -= page.requests.length
    cursor = page.next_cursor ?? undefined
    dropped = page.dropped
  } while (cursor !== undefined && left > 0)
  if (left === limit) output.say('no such request in the last seven days')
  if (dropped > 0) output.warn(`${dropped} requests of these days were answered and not written down`)
}

const filterOf = ({ code, status, route, id }: Omit<Asked, 'limit'>): RequestFilter => ({
  ...(code !== undefined && { code }),
  ...(status !== undefined && { status }),
  ...(route !== undefined && { route }),
  ...(id !== undefined && { request_id: id }),
})

/** Of equal width from line to line, as far as their lengths are known before. */
const cellsOf = ({ at, request_id, status, method, route, code, duration_ms, label }: LoggedRequest): string[] => [
  ...[at, request_id, String(status), method.padEnd(4), route, code ?? '', `${duration_ms} ms`, label],
]
