import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from '../../client/files.ts'
import { writeDurably } from '../../kernel/durable.ts'
import type { UploadLine } from '../../signals/schema.ts'
import type { Session } from './session.ts'
import type { Signed } from './share.ts'

/** What the node answered to one submission: how many of its items are stored, and which are not and why. */
export interface Answered {
  accepted: number
  refused: UploadLine[]
}

const folderOf = ({ home }: Pick<Session, 'home'>, { upload }: Signed): string =>
  join(home.dir, 'uploads', upload, 'answered')

/** A file for each submission, so that keeping an answer costs the same however many there are. */
const fileOf = (session: Pick<Session, 'home'>, signed: Signed, first: bigint): string =>
  join(folderOf(session, signed), `${first}.json`)

/** Undefined where no answer was read: the node's place says that a submission is settled, and not how. */
export function keptAnswer(session: Pick<Session, 'home'>, signed: Signed, first: bigint): Answered | undefined {
  const kept = readIfThere(fileOf(session, signed, first))
  return kept === undefined ? undefined : (JSON.parse(kept) as Answered)
}

/** After its evidence was noted: whatever breaks before is asked for again. */
export const keepAnswer = (session: Pick<Session, 'home'>, signed: Signed, first: bigint, answered: Answered): void =>
  writeDurably(fileOf(session, signed, first), JSON.stringify(answered), 0o600)

/** They are of lines that are signed anew. */
export const forgetAnswers = (session: Pick<Session, 'home'>, signed: Signed): void =>
  rmSync(folderOf(session, signed), { recursive: true, force: true })

/** The numbers of the first lines of its submissions, in their order. */
export const firstsOf = ({ submissions }: Signed): bigint[] => Object.keys(submissions).map(BigInt)
