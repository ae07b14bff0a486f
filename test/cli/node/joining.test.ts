import { Command } from 'commander'
import { expect, test } from 'vitest'
import { joiningCommands } from '../../../src/cli/node/joining.ts'

const ID = '0195a1b2-0000-7000-8000-000000000001'

test.each([[[ID]], [[ID, 'ab'.repeat(32)]], [[ID, '--by', ID]]])(
  'a key that is named is read back by a fingerprint and a person, and nothing is listed instead: %j',
  async (words) => {
    const program = new Command('aldis').exitOverride()
    joiningCommands(program)
    await expect(program.parseAsync(['read-back', ...words], { from: 'user' })).rejects.toMatchObject({
      ...{ name: 'StartRefused', message: expect.stringContaining('name the fingerprint') },
    })
  },
)
