import { watchCopies } from './copy.ts'
import { watchKeys } from './keys.ts'
import { watchPalette } from './palette.ts'
import { watchRefusals } from './refusals.ts'
import { watchSession } from './session.ts'
import { watchTheme } from './theme.ts'

// What every page has. Each module only presses what is on the page already: without it the page still works.
watchKeys()
watchPalette()
watchSession()
watchRefusals()
watchTheme()
watchCopies()
