// SPDX-FileCopyrightText: 2026 The veille authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Mains adapter, battery and thermal zone of a lab machine. What they say stands in a page of guest memory at 128 MiB, which the
// kernel leaves alone (memmap=4K$0x8000000) and the host writes (machine.py). Notify() is called by no one: as on much real
// hardware, the operating system finds out when it looks.
DefinitionBlock ("", "SSDT", 2, "VEILLE", "LABPOWER", 1)
{
    OperationRegion (PAGE, SystemMemory, 0x08000000, 0x100)
    Field (PAGE, DWordAcc, NoLock, Preserve) { ACON, 32, BSTS, 32, BRAT, 32, BCAP, 32, TEMP, 32 }

    Scope (\_SB)
    {
        Device (ADP1)
        {
            Name (_HID, "ACPI0003")
            Name (_PCL, Package () { \_SB })
            Method (_PSR) { Return (ACON) }
            Method (_STA) { Return (0x0F) }
        }
        Device (BAT0)
        {
            Name (_HID, EisaId ("PNP0C0A"))
            Name (_UID, 0)
            Name (_PCL, Package () { \_SB })
            Method (_STA) { Return (0x1F) }
            Method (_BIF)
            {
                // In mWh; design capacity, last full, ..., low at 2000
                Return (Package () { 0, 50000, 50000, 1, 12000, 5000, 2000, 100, 100, "LabUPS", "0001", "LION", "LAB" })
            }
            Method (_BST)
            {
                Local0 = Package (4) { 0, 0, 0, 12000 }
                Local0[0] = BSTS
                Local0[1] = BRAT
                Local0[2] = BCAP
                Return (Local0)
            }
        }
    }
    Scope (\_TZ)
    {
        ThermalZone (TZ00)
        {
            Method (_TMP) { Return (TEMP) } // tenths of a kelvin
            Method (_CRT) { Return (3982) }
            Method (_HOT) { Return (3832) }
            Name (_TZP, 10)
        }
    }
}
