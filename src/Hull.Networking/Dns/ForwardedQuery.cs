using System.Buffers.Binary;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>One question on its way: attempts, one server after the other, until one answers or the time is over.</summary>
/// <remarks>
/// A server that says SERVFAIL, REFUSED or NOTIMP is taken at its word and the next one is asked, as glibc does; if none knows better,
/// the client gets the last such answer. One that does not answer, or cannot be reached, is asked again in the next round.
/// </remarks>
internal sealed class ForwardedQuery : IDisposable
{
    /// <summary>Longest time for all attempts together, milliseconds. Clients have asked again by then.</summary>
    private const int TotalTime = 10_000;

    /// <summary>Datagrams of one turn of the loop; others wait for theirs.</summary>
    private const int Batch = 8;

    private readonly DnsForwarder _forwarder;
    private readonly UpstreamSet _upstreams;
    private readonly IDnsClient _client;
    private readonly SocketEndpoint _from;
    private readonly bool _stream;
    private readonly int _first;
    private readonly long _giveUp = Environment.TickCount64 + TotalTime;
    private readonly ushort _clientId;

    /// <summary>The query with its length before it, as TCP has it (RFC 1035 section 4.2.2), and the id of the attempt.</summary>
    private readonly byte[] _message;
    private readonly int _questionLength;
    private SafeFileHandle? _socket;
    private Watch? _watch;
    private int _server;
    private uint _asked;
    private uint _declined;
    private int _round;
    private int _sent;
    private byte[] _received = [];
    private int _receivedLength;
    private byte[]? _lastWord;

    public ForwardedQuery(DnsForwarder forwarder, ReadOnlySpan<byte> message, bool stream, IDnsClient client, in SocketEndpoint from)
    {
        _forwarder = forwarder;
        _upstreams = forwarder.Upstreams;
        _client = client;
        _from = from;
        _stream = stream;
        _first = _upstreams.First();
        _clientId = BinaryPrimitives.ReadUInt16BigEndian(message);
        _message = new byte[2 + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(_message, (ushort)message.Length);
        message.CopyTo(_message.AsSpan(2));
        _questionLength = DnsName.LengthUncompressed(message[DnsHeader.Length..]) + 4;
    }

    /// <summary>When this attempt is over, on the scale of TickCount64.</summary>
    public long Due { get; private set; }

    /// <summary>Its place in the forwarder's list.</summary>
    public int Slot { get; set; }

    private Span<byte> Message => _message.AsSpan(2);

    private ReadOnlySpan<byte> Question => Message.Slice(DnsHeader.Length, _questionLength);

    /// <summary>Asks the next server that can be asked; where there is none, the client gets its answer.</summary>
    public void Attempt()
    {
        Disconnect();
        while (TryChoose())
        {
            try
            {
                if (TryAsk())
                {
                    return;
                }
            }
            catch (SyscallException)
            {
                // No descriptor or memory for a moment, or a namespace that is gone: the same as a server that is not there.
                Disconnect();
            }

            _upstreams.Failed(_server);
        }

        if (_lastWord is not null)
        {
            Complete(_lastWord);
            return;
        }

        BinaryPrimitives.WriteUInt16BigEndian(Message, _clientId);
        Span<byte> answer = stackalloc byte[DnsQuery.DefaultDatagram];
        Complete(answer[..DnsResponder.Refuse(Message, DnsCode.ServerFailure, answer)]);
    }

    public void Dispose() => Disconnect();

    /// <summary>The server did not answer, or not in time.</summary>
    public void Fail()
    {
        _upstreams.Failed(_server);
        Attempt();
    }

    private bool TryChoose()
    {
        // Once the container's networks have changed these servers may be none of its business any more.
        if (Environment.TickCount64 >= _giveUp || !ReferenceEquals(_upstreams, _forwarder.Upstreams))
        {
            return false;
        }

        _server = _upstreams.Choose(_first, _asked);
        if (_server < 0 && ++_round < _upstreams.Attempts)
        {
            _asked = _declined;
            _server = _upstreams.Choose(_first, _asked);
        }

        if (_server < 0)
        {
            return false;
        }

        _asked |= 1u << _server;
        return true;
    }

    private bool TryAsk()
    {
        KernelRandom.Fill(Message[..2]);
        _socket = _forwarder.Connect(_upstreams.Servers[_server], _stream, out _);
        if (_socket is null)
        {
            return false;
        }

        if (!_stream && InternetSockets.TrySend(_socket, Message, null, out _) < 0)
        {
            Disconnect();
            return false;
        }

        _watch = _forwarder.Loop.Watch(_socket, _stream ? PollEvents.Writable : PollEvents.Readable, _stream ? OnStream : OnDatagram);
        Due = Math.Min(_giveUp, Environment.TickCount64 + (long)_upstreams.Timeout.TotalMilliseconds);
        _forwarder.WakeBy(Due);
        return true;
    }

    private void OnDatagram(PollEvents events)
    {
        byte[] buffer = _forwarder.Buffer;
        for (int i = 0; i < Batch; i++)
        {
            int n = InternetSockets.TryReceive(_socket!, buffer, out Errno errno);
            if (n < 0)
            {
                if (errno != Errno.EAGAIN)
                {
                    // ECONNREFUSED above all: nobody serves there.
                    Fail();
                }

                return;
            }

            if (TryTake(buffer.AsSpan(0, n)))
            {
                return;
            }

            // Not the answer to this question, whoever sent it: the right one may follow.
        }
    }

    private void OnStream(PollEvents events)
    {
        if (_sent < _message.Length)
        {
            SendStream();
        }
        else
        {
            ReceiveStream();
        }
    }

    private void SendStream()
    {
        Errno errno = InternetSockets.PendingError(_socket!);
        int n = errno == Errno.None ? InternetSockets.TrySend(_socket!, _message.AsSpan(_sent), null, out errno) : -1;
        if (n < 0)
        {
            if (errno != Errno.EAGAIN)
            {
                Fail();
            }

            return;
        }

        _sent += n;
        if (_sent == _message.Length)
        {
            _received = new byte[2];
            _watch!.Events = PollEvents.Readable;
        }
    }

    /// <summary>Two bytes of length, then the answer.</summary>
    private void ReceiveStream()
    {
        int n = InternetSockets.TryReceive(_socket!, _received.AsSpan(_receivedLength), out Errno errno);
        if (n < 0 && errno == Errno.EAGAIN)
        {
            return;
        }

        _receivedLength += n;
        if (n > 0 && _receivedLength < _received.Length)
        {
            return;
        }

        if (n > 0 && _received.Length == 2)
        {
            Array.Resize(ref _received, 2 + BinaryPrimitives.ReadUInt16BigEndian(_received));
        }
        else if (n <= 0 || !TryTake(_received.AsSpan(2)))
        {
            Fail();
        }
    }

    /// <summary>Passes an answer on where it is one to this question.</summary>
    /// <returns>False where it is not: the attempt goes on.</returns>
    private bool TryTake(Span<byte> answer)
    {
        if (!IsAnswer(answer))
        {
            return false;
        }

        _upstreams.Answered(_server);
        DnsCode code = (DnsCode)(answer[3] & DnsHeader.CodeMask);
        BinaryPrimitives.WriteUInt16BigEndian(answer, _clientId);
        if (code is DnsCode.ServerFailure or DnsCode.Refused or DnsCode.NotImplemented)
        {
            _declined |= 1u << _server;
            _lastWord = answer.ToArray();
            Attempt();
        }
        else
        {
            Complete(answer);
        }

        return true;
    }

    /// <summary>The id and the question are this attempt's (RFC 5452 section 9.1). A server that could not or would not read the
    /// question may leave it out.</summary>
    private bool IsAnswer(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < DnsHeader.Length || !answer[..2].SequenceEqual(Message[..2])
            || (BinaryPrimitives.ReadUInt16BigEndian(answer[2..]) & (DnsHeader.Response | DnsHeader.OpcodeMask)) != DnsHeader.Response)
        {
            return false;
        }

        int questions = BinaryPrimitives.ReadUInt16BigEndian(answer[4..]);
        return questions == 1
            ? answer.Length >= DnsHeader.Length + _questionLength && DnsName.AreEqual(answer.Slice(DnsHeader.Length, _questionLength - 4), Question[..^4])
                && answer.Slice(DnsHeader.Length + _questionLength - 4, 4).SequenceEqual(Question[^4..])
            : questions == 0 && (DnsCode)(answer[3] & DnsHeader.CodeMask) is not (DnsCode.NoError or DnsCode.NameError);
    }

    private void Complete(ReadOnlySpan<byte> answer)
    {
        Disconnect();
        _forwarder.Forget(this);
        _client.Take(_from, answer);
    }

    private void Disconnect()
    {
        _watch?.Dispose();
        _socket?.Dispose();
        _watch = null;
        _socket = null;
        _sent = 0;
        _receivedLength = 0;
    }
}
