import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { endedPromises } from '../../client/ended-promises.ts'
import { AldisError, VerificationFailed } from '../../client/errors.ts'
import type { Home } from '../../client/home.ts'
import { keyOfReceipt, policyOfReceipt } from '../../client/next-log.ts'
import { keptReceipt, type Promised, promisesIn } from '../../client/promises.ts'
import { answerIn, checkReceipt, isOf, openVkey } from '../../client/verify.ts'
import { openPolicy } from '../../client/witnessed.ts'
import { certificateFaults, parseCertificate } from '../../erasure/certificate.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { askedFault } from '../../provenance/asked.ts'
import { parseBundle } from '../../provenance/bundle.ts'
import type { VerifierKey } from '../../provenance/note.ts'
import type { Policy } from '../../provenance/policy.ts'
import { parseReceipt, type Verified } from '../../provenance/receipt.ts'
import { EXIT } from '../exit.ts'
import { type Output, outputOf } from '../output.ts'
import { homeOf, type Session, textOf, withSession } from './session.ts'

export function receiptCommands(program: Command): void {
  program
    .command('receipts')
    .description('fetch the receipts of what we submitted and obtained, verify and keep them')
    .action((_options: object, command: Command) => withSession(command, fetchReceipts))

  program
    .command('verify <receipt...>')
    .description(
      "check receipts, proof bundles and certificates of erasure against the log's pinned key: offline, without the node",
    )
    .option('--vkey <file>', "the log's key (C2SP signed-note); those in the folder unless given")
    .option(
      '--policy <file>',
      'witnesses that must have cosigned (C2SP tlog-policy); those pinned in the folder unless given, and with --vkey of another log none',
    )
    .option('--asked <file>', 'what a look-up asked for: its keys in the order of the request, one a line')
    .option('--fields', 'show what the entry says')
    .action((files: string[], { vkey, fields, policy, asked }: VerifyOptions, command: Command) => {
      const output = outputOf(command)
      const keys = asked === undefined ? undefined : textOf(asked).split('\n').filter(Boolean)
      const given = vkey === undefined ? undefined : openVkey(textOf(vkey))
      const home = homeOf(command)
      const keyOf = (receipt: string): VerifierKey => given ?? keyOfReceipt(home, receipt)
      const policyOf = (key: VerifierKey): Policy | undefined =>
        policy === undefined ? policyOfReceipt(home, key) : openPolicy(textOf(policy), key)
      const passed = files.flatMap((file) =>
        receiptsIn(textOf(file), file).map(({ name, text, says }) => {
          const key = keyOf(text)
          const checked = checkReceipt(text, key, policyOf(key))
          const certified = says === undefined ? checked : withStep(checked, 'certificate', says(checked)[0])
          const verified =
            keys === undefined
              ? certified
              : withStep(certified, 'what was asked', askedFault(sha256, checked.inner, keys))
          return tell(output, { file: name, fields: fields === true }, verified)
        }),
      )
      if (!passed.every(Boolean)) process.exitCode = EXIT.unverified
    })
}

interface OneReceipt {
  name: string
  text: string
  /** What the file says otherwise than the entry. */
  says?: (verified: Verified) => string[]
}

/** With one step more, which failed if there is a reason. */
function withStep(verified: Verified, step: string, why: string | undefined): Verified {
  const last = why === undefined ? { step, result: 'PASS' as const } : { step, result: 'FAIL' as const, why }
  return { ...verified, steps: [...verified.steps, last], passed: verified.passed && why === undefined }
}

/** One receipt, that of a certificate, or those of a proof bundle; an entry without one waited for its checkpoint, and is refused. */
function receiptsIn(text: string, file: string): OneReceipt[] {
  const certificate = parseCertificate(text)
  if (certificate !== undefined)
    return [{ name: file, text: certificate.receipt, says: ({ fields }) => certificateFaults(certificate, fields) }]
  const bundle = parseBundle(text)
  if (bundle === undefined) return [{ name: file, text }]
  return bundle.entries.map(({ index, receipt }) => {
    if (receipt === null) throw new VerificationFailed('bundle', `entry ${index} has no receipt: export it again`)
    return { name: `${file}, entry ${index}`, text: receipt }
  })
}

interface VerifyOptions {
  vkey?: string
  policy?: string
  asked?: string
  fields?: boolean
}

function tell(output: Output, { file, fields }: { file: string; fields: boolean }, verified: Verified): boolean {
  const { steps, passed, index, size } = verified
  const told = Object.fromEntries([...verified.fields, ...verified.inner].map(({ name, value }) => [name, value]))
  const { item } = verified
  const lines = [
    `${passed ? 'PASS' : 'FAIL'}  ${file}`,
    ...steps.map(
      ({ step, result, why }) => `      ${result === 'PASS' ? '✓' : '✗'} ${step}${why === undefined ? '' : `: ${why}`}`,
    ),
    `      entry ${index} of ${size}: ${String(told['type'] ?? '?')} by ${String(told['actor'] ?? '?')} at ${String(told['time'] ?? '?')}`,
    ...(item === undefined
      ? []
      : [`      ${item.reader} was given ${item.signal}, revision ${item.revision}, of ${item.source}`]),
    ...(fields ? Object.entries(told).map(([name, value]) => `      ${name} = ${JSON.stringify(value)}`) : []),
  ]
  output.data({ file, passed, index: String(index), size: String(size), steps, fields: told, item }, lines.join('\n'))
  return passed
}

async function fetchReceipts(session: Session): Promise<void> {
  const { home, output } = session
  const { asked, passed, gone } = await takeReceipts(session, (told, text) => output.data(told, text))
  await home.advance(session.client)
  if (asked === 0) output.say('every receipt is here already')
  const ended = await endedPromises(home, gone)
  // Of reads our chain says whether their time is over.
  const broken = gone.some(({ name, read }) => read === undefined && !ended.has(name))
  if (!passed || broken) process.exitCode = EXIT.unverified
}

/**
 * Fetches, verifies and keeps what was promised and has no receipt in the folder yet; answers how many that were, whether all that the
 * node gave were good, and what it does not have.
 */
export async function takeReceipts(
  { client, home, output }: Pick<Session, 'client' | 'home' | 'output'>,
  tellOf: (told: object, text: string) => void,
): Promise<{ asked: number; passed: boolean; gone: Promised[] }> {
  // A key that is not pinned yet is pinned here, at first use.
  await home.advance(client)
  const onTorn = (place: string): void =>
    output.warn(`${place}: cannot be read, and is passed over: what it promised is not known`)
  const wanted = promisesIn(home.dir, onTorn).filter(({ name }) => keptReceipt(home.dir, name) === undefined)
  const gone: Promised[] = []
  let passed = true
  for (const one of wanted) {
    const { name, event, read } = one
    const text = await receiptOf(client, one)
    if (text === 'gone') {
      output.warn(`${name}: the node does not have it; aldis history --verify says whether it has to`)
      gone.push(one)
      continue
    }
    if (text === undefined) {
      output.warn(`${name}: its checkpoint is still to come; run aldis receipts again`)
      continue
    }
    const { why, type } = judged(home, text, one)
    const good = why === undefined
    const path = good ? home.keepReceipt(name, text) : home.keepRefused(name, text)
    if (!good) output.warn(`${name}: ${why}; what the node gave is kept as evidence, and the next run asks again`)
    passed &&= good
    tellOf({ event, read, path, passed: good, type }, `${good ? '✓' : '✗'} ${String(type).padEnd(18)} ${path}`)
  }
  return { asked: wanted.length, passed, gone }
}

async function receiptOf(client: Client, { event, read }: Promised): Promise<string | 'gone' | undefined> {
  try {
    return await client.receipt(event, read === undefined ? {} : { read })
  } catch (error) {
    if (error instanceof AldisError && error.code === 'not-found') return 'gone'
    throw error
  }
}

/** What an answer is a receipt of, and why it is not the one that was promised; by the pinned key and witnesses. */
function judged(home: Home, text: string, { c, body }: Promised): { why?: string; type?: unknown } {
  if (parseReceipt(text) === undefined) return { why: 'it is no receipt' }
  const key = keyOr(home, text)
  if (typeof key === 'string') return { why: key }
  const { passed, fields, steps } = checkReceipt(text, key, policyOfReceipt(home, key))
  const type = fields.find(({ name }) => name === 'type')?.value
  if (!isOf(text, c)) return { why: 'the entry is another than the one that the node promised', type }
  if (body !== undefined && answerIn(text) !== body)
    return { why: 'the read is of another answer than the one that named it', type }
  return passed ? { type } : { why: steps.find(({ why }) => why !== undefined)?.why ?? 'it does not verify', type }
}

/** The key that a receipt is of, or why it is of none. */
function keyOr(home: Home, text: string): VerifierKey | string {
  try {
    return keyOfReceipt(home, text)
  } catch (error) {
    if (error instanceof VerificationFailed) return error.detail
    throw error
  }
}
