import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { BigIntSchema } from '../kernel/schema.ts'
import { JSON_LIMITS, parseStrict } from '../kernel/strict-json.ts'
import { CopyRefused } from './refused.ts'

/** Written last but one, and last: a folder without the second is no backup. */
export const MANIFEST = 'manifest.json'
export const SUMS = 'SHA256SUMS'

const Name = Type.String({ pattern: '^[a-z_][a-z0-9_]{0,62}$' })
const Root = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Instant = Type.String({ pattern: '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$' })
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
/** Names nothing outside the backup's own folder; a key's name has 96 characters, and its kind behind them. */
const PATH = '(?:tables|config|ca|tls|keys)/[a-z0-9][a-z0-9._-]{0,105}'
const Path = Type.String({ pattern: `^${PATH}$` })
const strict = { additionalProperties: false }

const ManifestSchema = Type.Object(
  {
    format: Type.Literal('aldis-backup/1'),
    made_at: Instant,
    release: Type.String({ maxLength: 64 }),
    schema: Type.Integer({ minimum: 1, maximum: 100_000 }),
    logs: Type.Array(
      Type.Object(
        {
          log_id: Type.Integer({ minimum: 1, maximum: 999_999_999 }),
          origin: Type.String({ maxLength: 300 }),
          size: BigIntSchema,
          root: Root,
          signed: BigIntSchema,
          signed_root: Root,
          newest: Type.Union([Instant, Type.Null()]),
        },
        strict,
      ),
    ),
    /** In the order in which they are filled. */
    tables: Type.Array(Type.Object({ table: Name, columns: Type.Array(Name), rows: Count, file: Path }, strict)),
    /** Beside the database. */
    files: Type.Array(Path),
  },
  strict,
)

const manifest = Compile(ManifestSchema)

export type Manifest = Static<typeof ManifestSchema>
export type ManifestLog = Manifest['logs'][number]

export const manifestText = (value: Manifest): string => `${JSON.stringify(value, undefined, 2)}\n`

/** Throws `CopyRefused` for what is no manifest of this form. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const value = jsonOf(bytes)
  if (!manifest.Check(value)) throw new CopyRefused('damaged', `${MANIFEST} is not of the form aldis-backup/1`)
  return value
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return parseStrict(bytes, { ...JSON_LIMITS, array: 10_000 })
  } catch (cause) {
    throw new CopyRefused('damaged', `${MANIFEST} is not JSON`, { cause })
  }
}

/** A file's name to its SHA-256, in the form of sha256sum(1). */
export const sumsText = (sums: ReadonlyMap<string, string>): string =>
  [...sums].map(([name, sum]) => `${sum}  ${name}\n`).join('')

const SUM = new RegExp(`^([0-9a-f]{64}) {2}(${PATH}|manifest\\.json)$`)

export function parseSums(text: string): Map<string, string> {
  const sums = new Map<string, string>()
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new CopyRefused('damaged', `${SUMS} ends within a line`)
  for (const line of lines) {
    const [, sum, name] = SUM.exec(line) ?? []
    if (sum === undefined || name === undefined || sums.has(name))
      throw new CopyRefused('damaged', `${SUMS} has a line that is none of ours`)
    sums.set(name, sum)
  }
  return sums
}
