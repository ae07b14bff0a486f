import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { createOutages } from '../../src/provenance/outage.ts'
import { parsePolicy } from '../../src/provenance/policy.ts'
import { createPublisher } from '../../src/provenance/publish.ts'
import { openWitnessKey } from '../../src/witness/key.ts'
import { openMemory } from '../../src/witness/memory.ts'
import { startWitness } from '../../src/witness/server.ts'
import { createWitness } from '../../src/witness/witness.ts'
import type { TestNode } from '../support/node.ts'

/** The newest checkpoint is cosigned and published, and again while the witness is gone. */
export async function witnessed({ node: { parts } }: TestNode): Promise<void> {
  const { pools, logId, origin, vkey, clock, provenance, programme } = parts
  const dir = mkdtempSync(join(tmpdir(), 'aldis-witness-'))
  const key = openWitnessKey(dir, 'witness.example/w')
  const witness = createWitness({ key, logs: [vkey], memory: openMemory(dir), clock, verify: verifyEd25519 })
  const faults: unknown[] = []
  const server = await startWitness({
    ...{ witness, host: '127.0.0.1', port: 0, onContradiction: () => {} },
    onFault: (error) => void faults.push(error),
  })
  const text = `witness w ${key.vkey} ${server.url}\nquorum w\n`
  let late = 0
  const later = (): Date => new Date(clock().getTime() + late)
  const publisherNow = () =>
    createPublisher({
      ...{ db: pools.signer, ledger: pools.ledger, clock: later, logId, key: vkey, policy: parsePolicy(sha256, text) },
      ...{
        degrade: 'mark',
        onLate: () => {},
        onMissing: () => {},
        onContradiction: () => {},
        contradicted: () => false,
      },
      outages: createOutages({
        ...{ db: pools.signer, admin: pools.admin, ledger: pools.ledger, clock: later, recorder: provenance },
        ...{ programme: programme.programme_id, logId, origin, policy: text, onRecorded: provenance.wake },
      }),
    })
  const first = publisherNow()
  await first.round()
  await first.close()
  await server.close()
  const second = publisherNow()
  await second.round()
  late = 6_000
  await second.round()
  await second.close()
  rmSync(dir, { recursive: true })
  if (faults.length > 0) throw new Error('the witness failed', { cause: faults[0] })
}
