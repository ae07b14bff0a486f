import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** A small file, and the longest of all. */
const LONGEST = '/test/e2e/demo.test.ts'

/** Vitest begins with the largest files; one that only starts processes would come last, and leave all other workers idle. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLongest = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith(LONGEST)
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))]
  }
}
