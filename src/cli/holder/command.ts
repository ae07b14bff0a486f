import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { Compile } from 'typebox/compile'
import { createRoot } from '../../ca/ca.ts'
import { nodeCertificate } from '../../ca/node-certificate.ts'
import { keySigner } from '../../ca/signer.ts'
import { openCounts } from '../../holder/counts.ts'
import { createHolder, partId } from '../../holder/holder.ts'
import { createLedger } from '../../holder/ledger.ts'
import { startHolder } from '../../holder/server.ts'
import { toBase64Url } from '../../kernel/bytes.ts'
import { systemClock } from '../../kernel/clock.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { createMarker } from '../../kernel/marker.ts'
import { fileKeys } from '../../keys/file.ts'
import { createOprfPool } from '../../keys/oprf-pool.ts'
import { Evaluation } from '../../matching/schema.ts'
import { EVALUATIONS_PER_DAY } from '../../participants/schema.ts'
import { type Output, outputOf } from '../output.ts'
import { wholeOption } from '../whole-option.ts'

interface HolderOptions {
  dir: string
  kid?: readonly string[]
  origin: string
  host: string
  port: number
  participants?: string
  trustDomain?: string
  perDay: number
  quota?: ReadonlyMap<string, number>
}

export function holderCommand(program: Command): void {
  program
    .command('oprf-holder')
    .description('hold the second part of OPRF keys: without it the node can make no token')
    .requiredOption('--dir <dir>', "the holder's own folder: its parts of keys, its TLS key, its counts")
    .requiredOption('--origin <https url>', 'where participants will find it; stands in the log with the key')
    .option('--kid <epoch>', 'make our part of the key of a new epoch, unless it is there; repeat for several', epochs)
    .option('--participants <file>', "the programme's root, ca.crt of a participant. None: only tell what we hold")
    .option('--trust-domain <domain>', 'of the programme, with --participants')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'any free one: 0', wholeOption(0, 65_535), 8_446)
    .option(
      '--per-day <n>',
      'identifiers of one participant a day, for each purpose',
      wholeOption(0, 1e9),
      EVALUATIONS_PER_DAY,
    )
    .option('--quota <participant=n>', 'another number for one participant; repeat for several', quotas)
    .action((options: HolderOptions, command: Command) => run(options, outputOf(command)))
}

async function run(options: HolderOptions, output: Output): Promise<void> {
  const { dir, kid: kids = [], origin, participants, trustDomain } = options
  if (!URL.canParse(origin) || new URL(origin).origin !== origin || !origin.startsWith('https:'))
    throw new StartRefused('--origin: expected https://<host>:<port>')
  const pool = createOprfPool()
  const keys = fileKeys(join(dir, 'keys'), pool)
  const root = await createRoot('oprf-holder', systemClock())
  const ca = keySigner(root.privateKey, root.certificate)
  const hosts = [new URL(origin).hostname.replace(/^\[|\]$/g, '')]
  const tls = await nodeCertificate(join(dir, 'tls'), { ca, hosts, clock: systemClock })
  for (const kid of kids) {
    await keys.create(partId(kid), 'oprf')
    const public_key = toBase64Url(await keys.oprfPublicKey(partId(kid)))
    output.data({ kid, public_key, origin, pin: tls.spki }, `${kid}  ${public_key}  ${origin}  ${tls.spki}`)
  }
  if (participants === undefined) return
  if (trustDomain === undefined) throw new StartRefused('--trust-domain: is needed with --participants')
  const marker = createMarker(join(dir, 'holder'))
  // Two would each count by themselves.
  if (!(await marker.take())) throw new StartRefused(`${dir}: another holder runs on this folder`)
  const counts = openCounts(join(dir, 'counts.ndjson'))
  const ledger = createLedger(counts, (participant) => options.quota?.get(participant) ?? options.perDay)
  const server = await startHolder({
    ...{ host: options.host, port: options.port, trustDomain, clock: systemClock },
    holder: createHolder({ keys, pool, ledger, clock: systemClock }),
    material: { key: tls.key, chain: tls.chain, clientRoots: [textOf(participants)], crls: [] },
    onFault: (error) => output.warn(`a request could not be answered: ${String(error)}`),
  })
  output.data({ listening: server.origin }, `holding at ${server.origin}`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await server.close()
  await pool.close()
  counts.close()
  await marker.release()
}

function textOf(path: string): string {
  if (!existsSync(path)) throw new StartRefused(`${path}: is missing`)
  return readFileSync(path, 'utf8')
}

const EPOCH = Compile(Evaluation.properties.kid)

function quotas(value: string, known: ReadonlyMap<string, number> = new Map()): ReadonlyMap<string, number> {
  const [, participant, n] = /^([a-z0-9][a-z0-9-]{1,62})=([0-9]{1,10})$/.exec(value) ?? []
  if (participant === undefined || n === undefined) throw new InvalidArgumentError('expected participant=number')
  return new Map([...known, [participant, Number(n)]])
}

function epochs(value: string, known: readonly string[] = []): readonly string[] {
  if (!EPOCH.Check(value)) throw new InvalidArgumentError('expected small letters, digits and hyphens, 63 at most')
  return [...known, value]
}
