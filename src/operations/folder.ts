import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MANIFEST, type Manifest, manifestText, parseManifest, parseSums, SUMS, sumsText } from './manifest.ts'
import { CopyRefused } from './refused.ts'

/** A backup that is being written. */
export interface NewFolder {
  /** Writes one file through `fill`, whole and on the disk when it resolves. */
  file(name: string, fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void>
  /** Manifest and sums: from now on it is a backup. */
  finish(manifest: Manifest): Promise<void>
}

/** Makes the folder, which must not be there; everything in it is its owner's alone. */
export async function newFolder(dir: string): Promise<NewFolder> {
  await mkdir(dir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new CopyRefused('folder-there', `${dir} is there already`)
    if (error.code === 'ENOENT') throw new CopyRefused('folder-missing', `${dir} cannot be made`)
    throw error
  })
  await syncFolder(dirname(dir))
  const sums = new Map<string, string>()
  const folders = new Set<string>()

  const file: NewFolder['file'] = async (name, fill) => {
    const folder = dirname(name)
    if (folder !== '.' && !folders.has(folder)) {
      await mkdir(join(dir, folder), { mode: 0o700 })
      folders.add(folder)
    }
    sums.set(name, await writeSynced(join(dir, name), fill))
  }

  return {
    file,
    async finish(manifest) {
      await file(MANIFEST, (write) => write(Buffer.from(manifestText(manifest))))
      for (const folder of folders) await syncFolder(join(dir, folder))
      await syncFolder(dir)
      await writeSynced(join(dir, SUMS), (write) => write(Buffer.from(sumsText(sums))))
      await syncFolder(dir)
    },
  }
}

/** The SHA-256 of what was written, in hex. */
async function writeSynced(path: string, fill: Parameters<NewFolder['file']>[1]): Promise<string> {
  const handle = await open(path, 'wx', 0o600)
  const hash = createHash('sha256')
  try {
    await fill(async (bytes) => {
      hash.update(bytes)
      await handle.writeFile(bytes)
    })
    await handle.sync()
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  await handle.sync().finally(() => handle.close())
}

/**
 * A backup of which every byte was read and is as it was written; throws `CopyRefused` naming the first file that is not,
 * and an `AbortError` once `ended` is aborted.
 */
export async function verifiedManifest(dir: string, ended?: AbortSignal): Promise<Manifest> {
  const sums = parseSums((await textOf(join(dir, SUMS))) ?? unfinished(dir))
  for (const [name, sum] of sums) {
    const found = await hashOf(join(dir, name), ended)
    if (found === undefined) throw new CopyRefused('damaged', `${name} is missing`)
    if (found !== sum) throw new CopyRefused('damaged', `${name} is not as it was written`)
  }
  const manifest = parseManifest(await readFile(join(dir, MANIFEST)).catch(() => unfinished(dir)))
  const named = [MANIFEST, ...manifest.files, ...manifest.tables.map(({ file }) => file)].sort()
  const odd = named.find((name) => !sums.has(name))
  if (odd !== undefined || named.length !== sums.size)
    throw new CopyRefused('damaged', `${SUMS} and ${MANIFEST} name different files`)
  return manifest
}

function unfinished(dir: string): never {
  throw new CopyRefused('unfinished', `${dir} is no backup`)
}

/** Undefined if there is no such file. */
const textOf = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(absent)

async function hashOf(path: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer)
  } catch (error) {
    return absent(error as NodeJS.ErrnoException)
  }
  return hash.digest('hex')
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
