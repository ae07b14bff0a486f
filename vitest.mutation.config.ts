import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The unit tests of the verifier, the quickest first: a mutant is done with at its first failure. */
const FILES = [
  ...['asked', 'log-source', 'chain', 'evidence', 'readset', 'checkpoint', 'note', 'policy', 'commitment'],
  ...['receipt', 'merkle', 'proof', 'tile', 'verified-log'],
].map((name) => `test/provenance/${name}.test.ts`)

const placeOf = ({ moduleId }: TestSpecification): number => FILES.findIndex((file) => moduleId.endsWith(file))

class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}

/** What `npm run proof` holds against the verifier's mutants. */
export default defineConfig({
  test: {
    include: FILES,
    setupFiles: ['test/proof/same-choices.ts'],
    sequence: { sequencer: QuickestFirst },
    isolate: false,
    testTimeout: 20_000,
  },
})
