import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { createDurably } from '../../kernel/durable.ts'
import type { BesideFile } from '../../operations/backup.ts'
import type { Manifest } from '../../operations/manifest.ts'
import { CopyRefused } from '../../operations/refused.ts'

/** Which secrets go along with the database. */
export interface Secrets {
  keys: boolean
  epochKeys: boolean
}

const EPOCH_KEY = /^epoch-[0-9]{6}(-[0-9]+)?\./
const KEY = /^[a-z0-9][a-z0-9-]{0,95}\.(ed25519|symmetric|oprf)$/
const PUBLIC = ['ca/root.crt', 'ca/issuer.crt', 'tls/node.crt']
const SECRET = ['ca/root.key', 'ca/issuer.key', 'tls/node.key']

/** What of settings' files, certificates and keys is there to be backed up. The anchor never is: it must not be set back. */
export function besideFiles({ configDir, dataDir }: Config, { keys, epochKeys }: Secrets): BesideFile[] {
  const inConfig = ['taxonomy.json', 'retention.json'].map((name) => ({
    ...{ path: join(configDir, name), name: `config/${name}` },
  }))
  const kept = (isThere(join(dataDir, 'keys')) ? readdirSync(join(dataDir, 'keys')) : [])
    .filter((name) => KEY.test(name) && (EPOCH_KEY.test(name) ? epochKeys : keys))
    .map((name) => `keys/${name}`)
  const inData = [...PUBLIC, ...(keys ? SECRET : []), ...kept].map((name) => ({ path: join(dataDir, name), name }))
  return [...inConfig, ...inData].filter(({ path }) => isThere(path))
}

/**
 * Puts keys, CA and certificates of a verified backup where they were, once `go` is called: those that are there already
 * stay, and `CopyRefused` says at once if one differs.
 */
export function keysToRestore(dir: string, { files }: Manifest, { dataDir }: Config): { go(): string[] } {
  const missing = files.filter((name) => {
    if (!/^(keys|ca|tls)\//.test(name)) return false
    const there = join(dataDir, name)
    if (!isThere(there)) return true
    // The node renews its certificate itself.
    if (!name.endsWith('.crt') && !readFileSync(there).equals(readFileSync(join(dir, name))))
      throw new CopyRefused('key-differs', `${there} is not the key of the backup`)
    return false
  })
  return {
    go() {
      for (const name of missing) {
        const mode = name.endsWith('.crt') ? 0o644 : 0o600
        createDurably(join(dataDir, name), readFileSync(join(dir, name)), mode)
      }
      return missing
    },
  }
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
