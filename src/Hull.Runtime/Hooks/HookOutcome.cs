using Hull.Linux;

namespace Hull.Runtime.Hooks;

/// <summary>How a hook ended, in one number: the child stage tells it over a pipe.</summary>
/// <param name="Code">0 for success; an errno below 4096 where the hook could not be executed; else one of the two forms below.</param>
internal readonly record struct HookOutcome(int Code)
{
    /// <summary>With the status of wait(2) in the low 16 bits.</summary>
    public const int EndedForm = 0x10000;

    /// <summary>The hook's time ran out and it was killed.</summary>
    public const int TimedOutForm = 0x20000;

    public static HookOutcome TimedOut => new(TimedOutForm);

    public bool Success => Code == 0;

    public static HookOutcome NotExecuted(Errno errno) => new((int)errno);

    public static HookOutcome Ended(ProcessExit exit) =>
        new(exit is { Code: 0, Signal: 0 } ? 0 : EndedForm | (exit.Code << 8) | exit.Signal);

    public override string ToString()
    {
        int signal = Code & 0x7f;
        return (Code & ~0xffff) switch
        {
            EndedForm when signal != 0 => $"killed by signal {signal} ({(Signal)signal})",
            EndedForm => $"exit code {(Code >> 8) & 0xff}",
            TimedOutForm => "not done within its timeout, killed",
            _ => $"cannot be executed: {((Errno)Code).Name()} ({((Errno)Code).Text()})",
        };
    }
}
