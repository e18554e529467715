using System.Runtime.InteropServices;

namespace Hull.Kernel.Tests.Security;

/// <summary>Exchanges two names of a directory without pause, as a container does with a volume that it shares with another one:
/// whoever looks at a name twice sees two things.</summary>
internal sealed partial class Flipper : IDisposable
{
    private const int AtCurrentDirectory = -100;
    private const uint Exchange = 2;

    private readonly Thread _thread;
    private volatile bool _stop;
    private long _flips;

    public Flipper(string one, string other)
    {
        _thread = new Thread(() =>
        {
            while (!_stop)
            {
                if (renameat2(AtCurrentDirectory, one, AtCurrentDirectory, other, Exchange) == 0)
                {
                    _flips++;
                }
            }
        });
        _thread.Start();
    }

    public long Flips => _flips;

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int oldDirectory, string oldPath, int newDirectory, string newPath, uint flags);
}
