import { equal, type Hash } from '../kernel/bytes.ts'
import { decoyCount, genesisLink, nextLink } from '../provenance/chain.ts'
import type { Entry } from './entry.ts'
import { type EntryCheck, gatherFaults } from './faults.ts'
import { numbered } from './finding.ts'

/** Check 8: the chain of each party is gapless, from its first link on. */
export function checkChains(hash: Hash, origin: string): EntryCheck {
  const check = numbered(8, 'chains')
  const faults = gatherFaults(check)
  const heads = new Map<string, { seq: bigint; link: Uint8Array }>()
  return {
    entry(entry) {
      for (const { party, seq, link } of entry.links) {
        const before = heads.get(party) ?? { seq: 0n, link: genesisLink(hash, origin, party) }
        if (seq !== before.seq + 1n) faults.add(`link ${seq} of ${party} follows link ${before.seq}`, entry.index)
        // What another record than the committed one makes of a link is check 5's to say.
        else if (entry.committed && !equal(nextLink(hash, before.link, seq, entry.c), link))
          faults.add(`link ${seq} of ${party} is not made of the one before and the record`, entry.index)
        heads.set(party, { seq, link })
      }
    },
    cut: faults.cut,
    end: () => faults.finding(() => check.pass(`the chains of ${heads.size} parties are gapless`)),
  }
}

/** Check 9: an entry moves on the chains of those whom its fields concern, and of nobody else. */
export function checkParties(): EntryCheck {
  const check = numbered(9, 'parties')
  const faults = gatherFaults(check)
  return {
    entry(entry) {
      const [told, due] = [entry.links.map(({ party }) => party).sort(), partiesIn(entry)]
      if (told.length !== due.length || told.some((party, i) => party !== due[i]))
        faults.add(`it moves on the chains of ${told.join(', ')}; it concerns ${due.join(', ')}`, entry.index)
      if (entry.decoys.length !== decoyCount(entry.links.length))
        faults.add('its chains are padded by another number than they have to be', entry.index)
    },
    cut: faults.cut,
    end: () => faults.finding(() => check.pass('each entry moves on the chains of those whom it concerns')),
  }
}

/** Who acted, whom it is about, whose signals. */
function partiesIn({ fields, sources }: Entry): string[] {
  const named = [fields.get('actor'), fields.get('subject'), ...sources.map(({ party }) => party)]
  return [...new Set(named.flatMap((name) => (typeof name === 'string' ? [name] : [])))].sort()
}
