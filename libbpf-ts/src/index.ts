// The public face of libbpf-ts.

export { type Arch, type ArchName, archFor } from "./arch.ts";
export { BtfObject, listModules, loadModule, loadVmlinux } from "./btf/kernel.ts";
export { type ByteTarget, type ParameterChoice, ParameterWriter } from "./btf/parameters.ts";
export {
  Btf,
  type BtfEnumValue,
  BtfError,
  type BtfKind,
  type BtfMember,
  type BtfParam,
  type BtfSectionEntry,
  type BtfType,
  type FoundMember,
} from "./btf/reader.ts";
export { BtfWriter, encodeFuncInfo, encodeLineInfo, type LineInfo, type NewMember } from "./btf/writer.ts";
export { onlineCpus, parseCpuList, possibleCpus } from "./cpus.ts";
export { DwarfError } from "./dwarf/cursor.ts";
export type { Die } from "./dwarf/die.ts";
export { Dwarf } from "./dwarf/dwarf.ts";
export type { DwarfFunction, DwarfParameter } from "./dwarf/functions.ts";
export { declaration, typeName } from "./dwarf/names.ts";
export type { SourceLine } from "./dwarf/sourceLines.ts";
export {
  type DwarfMember,
  type DwarfType,
  describeType,
  enumerators,
  membersOf,
  resolveDie,
} from "./dwarf/types.ts";
export { type ArchiveMember, archiveMember, splitArchivePath } from "./elf/archive.ts";
export { debugFileOf, debugFilePaths } from "./elf/debugFile.ts";
export { ElfError, ElfFile, type ElfNote, type ElfSection, type ElfSegment, stringAt } from "./elf/file.ts";
export { FunctionIndex } from "./elf/functionIndex.ts";
export { type NeededLibraries, neededLibraries } from "./elf/needed.ts";
export { type ElfSymbol, ElfSymbols } from "./elf/symbols.ts";
export { hasUsdtProbes, type UsdtProbe, usdtProbes } from "./elf/usdt.ts";
export {
  parseUsdtArg,
  parseUsdtArgs,
  resolveUsdtSymbols,
  splitUsdtArgs,
  type UsdtArg,
  type UsdtOperand,
} from "./elf/usdtArgs.ts";
export { symbolVersions } from "./elf/versions.ts";
export {
  Errno,
  errnoName,
  errnoText,
  kernelAtLeast,
  kernelVersion,
  lockdownMode,
  SysError,
  UnsupportedError,
} from "./errno.ts";
export {
  type FeatureResult,
  type FeatureRow,
  features,
  hasFeature,
  helperSupported,
  kfuncSupported,
  probeFeature,
  requireFeature,
  type SystemFacts,
  systemFacts,
} from "./features.ts";
export { handOver } from "./handover.ts";
export { Kallsyms, type KernelAddress, type KernelSymbol } from "./kallsyms.ts";
export { attachIter, IterLink, type IterTarget } from "./link/iter.ts";
export {
  attachKprobe,
  attachKprobeMulti,
  type KprobeMultiTarget,
  type KprobeTarget,
  kprobesAvailable,
} from "./link/kprobe.ts";
export { FdLink, type HasFd, type Link, type LinkInfo, linkInfo } from "./link/link.ts";
export {
  attachBreakpoint,
  attachHardware,
  attachInterval,
  attachPerfEvent,
  attachProfile,
  attachSoftware,
  type BreakpointOptions,
  type ClockOptions,
  type CounterOptions,
  type PerfEventOptions,
} from "./link/perfEvent.ts";
export { BPF_FILESYSTEM, pinObject } from "./link/pin.ts";
export { attachRawTracepoint } from "./link/rawTracepoint.ts";
export { attachTracepoint, type TracepointTarget } from "./link/tracepoint.ts";
export { attachTracing } from "./link/tracing.ts";
export { attachUprobe, attachUprobeMulti, type UprobeMultiTarget, type UprobeTarget } from "./link/uprobe.ts";
export { BpfMap, type MapContents, type MapInfo, type MapSpec, mapInfo } from "./map.ts";
export { PerfBuffer } from "./perfbuf.ts";
export {
  BpfProgram,
  enableStats,
  listLinks,
  listMaps,
  listPrograms,
  type ProgramInfo,
  type ProgramSpec,
  programInfo,
  programInfoById,
  type TestRunOptions,
  VerifierError,
} from "./program.ts";
export { type RecordCallback, RingBuffer, type RingBufferMap } from "./ringbuf.ts";
export {
  clockNs,
  close,
  dup,
  Mapping,
  pageSize,
  pipe,
  pollIn,
  raiseMemlock,
  raiseOpenFiles,
  setCloseOnExec,
} from "./sys.ts";
export { type TaskEvent, TaskEvents } from "./taskEvents.ts";
export {
  hasTracepoint,
  listAllTracepoints,
  listTracepointCategories,
  listTracepoints,
  parseTracepointFormat,
  readTracepointFormat,
  type TracepointField,
  type TracepointFormat,
  tracefsPath,
  tracepointFieldTexts,
  tracepointId,
} from "./tracefs.ts";
export { measureTrap } from "./trapTime.ts";
export {
  AttachType,
  type AttachTypeName,
  HardwareEvent,
  type HardwareEventName,
  MapFlag,
  MapType,
  type MapTypeName,
  PerfType,
  ProgFlag,
  ProgType,
  type ProgTypeName,
  SoftwareEvent,
  type SoftwareEventName,
  UpdateFlag,
} from "./uapi.ts";
export {
  Cfa,
  FramePointer,
  type UnwindRule,
} from "./unwind/rules.ts";
export { type UnwindTable, unwindTable } from "./unwind/table.ts";
export {
  existsWithin,
  heldPath,
  listWithin,
  openFileWithin,
  openWithin,
  readWithin,
  rootOfPath,
  statWithin,
} from "./within.ts";
