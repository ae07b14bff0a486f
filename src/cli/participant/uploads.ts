import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import type { UploadJob } from '../../signals/schema.ts'
import { EXIT } from '../exit.ts'
import { columns } from '../output.ts'
import { createTelling } from './send.ts'
import { type Session, withSession } from './session.ts'
import { signedUpload } from './share.ts'

interface Asked {
  wait?: true
  results?: true
}

/** Between two looks at a job that is waited for. */
const LOOK_MS = 1_000

/** What was left with the node. */
export function uploadsCommand(program: Command): void {
  program
    .command('uploads [upload]')
    .description(
      'how far the node is with what was left there (submit --detach, import --detach), and what became of it',
    )
    .option('--wait', 'until it is worked off')
    .option('--results', 'what became of each item, once it is worked off; the evidence is kept')
    .action((upload: string | undefined, asked: Asked, command: Command) =>
      withSession(command, (session) => (upload === undefined ? list(session) : show(session, upload, asked))),
    )
}

async function list({ client, output }: Session): Promise<void> {
  const { uploads } = await client.uploads.list()
  output.data({ uploads }, uploads.length === 0 ? 'nothing was left with the node' : columns(uploads.map(cellsOf)))
}

const cellsOf = ({ upload, state, received_at, lines, accepted, refused }: UploadJob): string[] => [
  ...[upload, state, received_at, `${lines} lines`, `${accepted} shared`, `${refused} refused`],
]

async function show(session: Session, upload: string, { wait, results }: Asked): Promise<void> {
  if (!isUuid(upload)) throw new Refusal('validation-failed', { detail: 'an upload is named by its id' })
  const job = await jobOf(session, upload, wait === true)
  if (results === true && job.state === 'done') await tellResults(session, upload)
  session.output.data({ outcome: 'upload', ...job }, columns([[...cellsOf(job), job.code ?? '']]))
  if (job.state === 'failed') process.exitCode = EXIT.failed
  else if (job.state === 'done' && job.refused !== '0') process.exitCode = EXIT.someRefused
}

async function jobOf({ client, output }: Session, upload: Uuid, wait: boolean): Promise<UploadJob> {
  const bar = output.progress('worked off', undefined)
  try {
    for (;;) {
      const { job, next_line } = await client.uploads.get(upload)
      if (job === undefined) throw new Refusal('not-found', { detail: 'nothing was left with the node under this id' })
      if (!wait || job.state === 'done' || job.state === 'failed') return job
      bar.at(Number(next_line) - 1)
      await delay(LOOK_MS)
    }
  } finally {
    bar.end()
  }
}

async function tellResults(session: Session, upload: Uuid): Promise<void> {
  const signed = signedUpload(session.home.dir, upload)
  const told = { accepted: 0, refused: 0, before: 0 }
  const telling = signed === undefined ? undefined : createTelling(session, signed, { next: 0n, told })
  for await (const line of session.client.uploads.results(upload)) {
    if (telling === undefined) session.output.data(line, JSON.stringify(line))
    else telling.line(line)
  }
}
