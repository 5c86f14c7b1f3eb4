// The suite, through a real mount.

import { NO_MOUNT } from '../e2e/machine.ts'
import { compliance } from './suite.ts'

await compliance('mount', { skip: NO_MOUNT, killAt: ['profile:linked'] })
