using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hull.Kernel.Tests.Harness;

/// <summary>What a <see cref="FaultyProxy"/> does to one connection.</summary>
internal sealed record Fault
{
    /// <summary>Close after so many bytes from the client.</summary>
    public long? CutUploadAfter { get; init; }

    /// <summary>Close after so many bytes from the server.</summary>
    public long? CutDownloadAfter { get; init; }

    /// <summary>Take all, but pass nothing on after so many bytes from the client.</summary>
    public long? StallUploadAfter { get; init; }

    /// <summary>Take all, but pass nothing on after so many bytes from the server.</summary>
    public long? StallDownloadAfter { get; init; }

    /// <summary>The wait before each piece of 16 KiB from the server.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>A text in what the server says, and what the client hears instead: lies about lengths and digests.</summary>
    public (string From, string To)? Replace { get; init; }
}

/// <summary>A TCP proxy on a loopback port before a registry, which does to connections what networks and hostile servers do.</summary>
internal sealed class FaultyProxy : IDisposable
{
    // Not TcpListener: what that throws where it is disposed while it waits is nobody's to know.
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly int _target;
    private readonly Func<int, Fault?> _plan;
    private int _connections;
    private long _downloaded;

    /// <param name="plan">The fault of a connection, counted from 1; null for none.</param>
    public FaultyProxy(int target, Func<int, Fault?> plan)
    {
        _target = target;
        _plan = plan;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    /// <summary>How many connections it cuts or stalls; it leaves alone those that reach their fault later.</summary>
    public int AtMost { get; init; } = int.MaxValue;

    public string Host => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    /// <summary>Bytes from the server so far.</summary>
    public long Downloaded => Interlocked.Read(ref _downloaded);

    /// <summary>The first lines of the requests so far.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Connections cut so far.</summary>
    public int Cuts { get; private set; }

    /// <summary>Connections on which nothing is passed on any more.</summary>
    public int Stalls { get; private set; }

    public void Dispose() => _listener.Dispose();

    private void Accept()
    {
        try
        {
            while (true)
            {
                TcpClient client = new() { Client = _listener.Accept() };
                Fault fault = _plan(Interlocked.Increment(ref _connections)) ?? new Fault();
                TcpClient server = new(AddressFamily.InterNetwork);
                server.Connect(IPAddress.Loopback, _target);
                Run(() => Pump(client, server, fault.CutUploadAfter, fault.StallUploadAfter, TimeSpan.Zero, null, Note));
                Run(() => Pump(server, client, fault.CutDownloadAfter, fault.StallDownloadAfter, fault.Delay, fault.Replace, Count));
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // The listener was disposed: the test is over.
        }
    }

    private delegate void SpanAction(ReadOnlySpan<byte> piece);

    private static void Run(ThreadStart pump) => new Thread(pump) { IsBackground = true }.Start();

    private void Count(ReadOnlySpan<byte> piece) => Interlocked.Add(ref _downloaded, piece.Length);

    /// <summary>A request's head comes in one piece; a TLS handshake is no request.</summary>
    private void Note(ReadOnlySpan<byte> piece)
    {
        int end = piece.IndexOf("\r\n"u8);
        if (end > 0 && piece[..end].EndsWith(" HTTP/1.1"u8))
        {
            Requests.Enqueue(Encoding.ASCII.GetString(piece[..(end - " HTTP/1.1".Length)]));
        }
    }

    private void Pump(
        TcpClient from, TcpClient to, long? cutAfter, long? stallAfter, TimeSpan delay, (string From, string To)? replace, SpanAction note)
    {
        byte[] buffer = new byte[16 << 10];
        long passed = 0;
        bool isStalled = false;
        try
        {
            while (from.GetStream().Read(buffer) is int n and > 0)
            {
                Thread.Sleep(delay);
                ReadOnlySpan<byte> piece = buffer.AsSpan(0, n);
                if (isStalled)
                {
                    continue;
                }

                note(piece);
                if (stallAfter is { } end && passed + n > end && Cuts + Stalls < AtMost)
                {
                    to.GetStream().Write(piece[..(int)(end - passed)]);
                    isStalled = true;
                    Stalls++;
                    continue;
                }

                if (cutAfter is { } limit && passed + n > limit && Cuts + Stalls < AtMost)
                {
                    to.GetStream().Write(piece[..(int)(limit - passed)]);
                    Cuts++;
                    break;
                }

                passed += n;
                // Latin-1 keeps every byte; heads come in one piece on loopback.
                to.GetStream().Write(replace is { } lie
                    ? Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(piece).Replace(lie.From, lie.To, StringComparison.Ordinal))
                    : piece);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            // One side is gone; so is the connection.
        }

        from.Dispose();
        to.Dispose();
    }
}
