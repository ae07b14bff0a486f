import { type Command, Option } from 'commander'
import { type Derived, derive } from '../../client/derive.ts'
import { fetchList, isAddress } from '../../client/imports/fetch.ts'
import { type Imported, type ImportMap, importMapIn, LISTED } from '../../client/imports/row.ts'
import {
  IMPORT_FORMATS,
  type ImportFormat,
  type ImportOptions,
  importDigest,
  importRows,
  type List,
} from '../../client/imports/source.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { derivedId } from '../../kernel/ids.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { checkMediaHash } from '../../signals/media-hash.ts'
import { MEDIA_ALGORITHM, type SignalItem, type SignalType } from '../../signals/schema.ts'
import { columns } from '../output.ts'
import { type Common, openHomeContext } from './context.ts'
import type { Read } from './raw-file.ts'
import { type Session, textOf, withSession } from './session.ts'
import type { RawSource } from './share.ts'
import { commonOptions, submit } from './submit.ts'

interface Asked extends Common {
  format: ImportFormat
  map?: string
  type?: SignalType
  algorithm?: string
  ca?: string
  dryRun?: true
}

/** Refused entries that a preview names. */
const SHOWN = 5

/** Lists that are there already. Nothing but their reading is different from `submit`. */
export function importCommand(program: Command): void {
  commonOptions(program.command('import <file-or-address>'))
    .description('read a list in another form at home, and share it as submit does')
    .addHelpText('after', HELP)
    .addOption(new Option('--format <format>', 'what the list is').choices(IMPORT_FORMATS).makeOptionMandatory())
    .option('--map <file>', 'a JSON file that says what the columns and words of the list mean')
    .addOption(new Option('--type <type>', 'of entries that name none').choices(LISTED))
    .addOption(new Option('--algorithm <algorithm>', 'of media hashes that name none').choices(MEDIA_ALGORITHM))
    .option(
      '--ca <file>',
      'of a list that is fetched: the authorities of its server, PEM; those of the system unless given',
    )
    .option('--dry-run', 'say what would become of it, and send nothing')
    .action((file: string, asked: Asked, command: Command) =>
      withSession(command, (session) => importList(session, file, asked)),
    )
}

const HELP = `
  csv     RFC 4180 with a header: type, value, platform, region, algorithm, category, severity, confidence, basis, handling, tlp,
          observed_at, expires_at, ref (passed over)
  ndjson  lines as submit takes them, or objects whose members the map names
  stix    a bundle or an envelope of STIX 2.1 indicators
  misp    a feed (manifest.json and its events) in a folder or at an address, or one event
  hashes  one value a line: --algorithm says of what, or --type of which other type
Of an address, over https, or http on loopback: nothing of it is written to the disk, and no other server is asked than the one it names.
A map: {"columns":{"indicator":"value","kind":"type","comment":null},"types":{"ip-address":"ip","image":"media_hash:pdq"},
        "categories":{"their label":"grooming"},"platforms":{"Birdsong Ltd":"birdsong"}}`

async function importList(session: Session, file: string, asked: Asked): Promise<void> {
  const options = await optionsOf(session, asked)
  const list = isAddress(file) ? await fetched(session, file, asked) : file
  if (asked.dryRun === true) return preview(session, { list, options, asked })
  await submit(session, importSource(list, options), asked)
}

async function fetched({ output }: Session, address: string, { format, ca }: Asked): Promise<List> {
  const bar = output.progress('fetching (%)', 100)
  try {
    return await fetchList(address, {
      ...{ format, ca: ca === undefined ? undefined : textOf(ca) },
      onFile: (done, all) => bar.at(Math.floor((100 * done) / all)),
    })
  } finally {
    bar.end()
  }
}

async function optionsOf({ client }: Session, { format, map, type, algorithm }: Asked): Promise<ImportOptions> {
  const epochs = format === 'stix' ? (await client.hashProfiles()).hash_profiles : []
  const own = type ?? (format === 'hashes' ? 'media_hash' : undefined)
  if (format === 'hashes' && own === 'media_hash' && algorithm === undefined)
    throw new StartRefused('hashes: --algorithm says of what they are')
  return {
    format,
    map: map === undefined ? ({} satisfies ImportMap) : importMapIn(textOf(map), map),
    otherwise: { ...(own === undefined ? {} : { type: own }), ...(algorithm === undefined ? {} : { algorithm }) },
    suiteOf: (kid) => epochs.find((one) => one.kid === kid)?.suite,
  }
}

const importSource = (list: List, options: ImportOptions): RawSource => ({
  async *rows() {
    for await (const row of importRows(list, options)) yield readOf(row)
  },
  upload: async (audience) =>
    derivedId(sha256(Buffer.concat([Buffer.from(audience), await importDigest(list, options)]))),
})

/** As a line of a raw file is read. */
const readOf = ({ from: _, ...row }: Imported): Read => row

interface Previewing {
  list: List
  options: ImportOptions
  asked: Asked
}

/** What a list would become. */
interface Preview {
  becomes: { from: string; type: string; entries: number }[]
  refused: number
  shown: { line: number; from: string; reason: string }[]
}

/** What each kind of entry becomes, how many, and what is refused here; the node is sent nothing. */
async function preview(session: Session, { list, options, asked }: Previewing): Promise<void> {
  const { output } = session
  const { context } = await openHomeContext(session, asked)
  const { becomes, refused, shown } = await foreseen(importRows(list, options), context)
  for (const { line, from, reason } of shown)
    output.data({ outcome: 'refused', line, from, reason }, `line ${line}  ${from}  would be refused: ${reason}`)
  const entries = becomes.reduce((sum, one) => sum + one.entries, 0)
  const rest = refused > SHOWN ? `, of which the first ${SHOWN} are above` : ''
  output.data(
    { outcome: 'preview', format: options.format, entries, refused, becomes },
    [
      columns(becomes.map(({ from, type, entries: n }) => [from, '->', type, String(n)])),
      `${entries} would be shared, ${refused} refused${rest}; nothing was sent`,
    ].join('\n'),
  )
}

async function foreseen(rows: AsyncIterable<Imported>, context: HomeContext): Promise<Preview> {
  const becomes = new Map<string, Preview['becomes'][number]>()
  const shown: Preview['shown'] = []
  let refused = 0
  for await (const row of rows) {
    const { line, from } = row
    const made = madeOf(readOf(row), context)
    if (made.outcome === 'refused') {
      refused += 1
      if (refused <= SHOWN) shown.push({ line, from, reason: made.reason })
      continue
    }
    const type = kindOf(made.item)
    const known = becomes.get(`${from} ${type}`)
    becomes.set(`${from} ${type}`, { from, type, entries: (known?.entries ?? 0) + 1 })
  }
  return { becomes: [...becomes.values()], refused, shown }
}

const kindOf = (item: SignalItem): string =>
  item.type === 'media_hash' ? `media_hash ${item.value.algorithm}` : item.type

type HomeContext = Awaited<ReturnType<typeof openHomeContext>>['context']

/** Of no key epoch: what an identifier is normalised to does not depend on it, and nobody is asked for a token. */
const NO_EPOCH = { kid: 'preview', key: new Uint8Array(32) }

function madeOf(read: Read, context: HomeContext): Derived {
  if (read.outcome === 'refused') return read
  const derived = derive(read.raw, { ...context, epoch: NO_EPOCH })
  if (derived.outcome === 'refused' || derived.item.type !== 'media_hash') return derived
  const { algorithm, hash } = derived.item.value
  if (!MEDIA_ALGORITHM.includes(algorithm)) return { outcome: 'refused', reason: 'the algorithm is none of ours' }
  const checked = checkMediaHash(algorithm, hash)
  return checked.outcome === 'ok' ? derived : checked
}
