using System.Text;

namespace Hull.Images.Tar;

/// <summary>Sparse files: GNU's old header, and the PAX versions 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files").</summary>
internal sealed partial class TarReader
{
    private const string SparsePairs = "GNU.sparse.pairs";
    private const int MaxPieces = 1_000_000;

    private void ReadSparse(byte type, TarEntry entry)
    {
        if (type == (byte)'S')
        {
            entry.Size = ParseNumber(_header.AsSpan(483, 12), "sparse size");
            entry.Sparse = ReadOldMap();
        }
        else if (Record("GNU.sparse.major") is { } major && Decimal(major, "GNU.sparse.major") == 1)
        {
            entry.Size = Decimal(Record("GNU.sparse.realsize") ?? throw Corrupt("a sparse file without a size"), "GNU.sparse.realsize");
            entry.Sparse = ReadMapOfContent(entry);
        }
        else if (Record("GNU.sparse.map") is { } map)
        {
            entry.Size = Decimal(Record("GNU.sparse.size") ?? throw Corrupt("a sparse file without a size"), "GNU.sparse.size");
            entry.Sparse = ParsePairs(map);
        }
        else if (Record(SparsePairs) is { } pairs)
        {
            entry.Size = Decimal(Record("GNU.sparse.size") ?? throw Corrupt("a sparse file without a size"), "GNU.sparse.size");
            entry.Sparse = ParsePairs(pairs);
        }
        else
        {
            return;
        }

        CheckMap(entry);
    }

    /// <summary>Four pieces in the header, then blocks of 21 while the header says so.</summary>
    private List<SparsePiece> ReadOldMap()
    {
        List<SparsePiece> pieces = [];
        AddOldPieces(_header.AsSpan(386, 4 * 24), pieces);
        bool extended = _header[482] != 0;
        byte[] block = new byte[BlockSize];
        while (extended)
        {
            if (!ReadBlock(block))
            {
                throw Corrupt("truncated: the archive ends inside a sparse map");
            }

            AddOldPieces(block.AsSpan(0, 21 * 24), pieces);
            extended = block[504] != 0;
        }

        return pieces;
    }

    private static void AddOldPieces(ReadOnlySpan<byte> table, List<SparsePiece> pieces)
    {
        for (; table.Length > 0; table = table[24..])
        {
            if (table[0] == 0)
            {
                return;
            }

            Add(pieces, ParseNumber(table[..12], "sparse offset"), ParseNumber(table[12..24], "sparse length"));
        }
    }

    /// <summary>Version 1.0: decimal lines at the start of the content, padded to a block.</summary>
    private List<SparsePiece> ReadMapOfContent(TarEntry entry)
    {
        byte[] block = new byte[BlockSize];
        int at = BlockSize;
        StringBuilder digits = new();
        long Next()
        {
            digits.Clear();
            while (true)
            {
                if (at == BlockSize)
                {
                    int have = 0;
                    while (have < BlockSize)
                    {
                        ReadOnlySpan<byte> slice = ReadContent(BlockSize - have);
                        if (slice.IsEmpty)
                        {
                            throw Corrupt($"the sparse map of '{entry.DisplayName}' does not end");
                        }

                        slice.CopyTo(block.AsSpan(have));
                        have += slice.Length;
                    }

                    at = 0;
                }

                byte c = block[at++];
                if (c == '\n')
                {
                    return Decimal(Encoding.ASCII.GetBytes(digits.ToString()), "sparse map");
                }

                if (digits.Length > 20)
                {
                    throw Corrupt($"the sparse map of '{entry.DisplayName}' is malformed");
                }

                digits.Append((char)c);
            }
        }

        long count = Next();
        if (count is < 0 or > MaxPieces)
        {
            throw Corrupt($"the sparse map of '{entry.DisplayName}' has {count} pieces (the limit is {MaxPieces})");
        }

        List<SparsePiece> pieces = [];
        for (long i = 0; i < count; i++)
        {
            Add(pieces, Next(), Next());
        }

        entry.StoredSize = _remaining;
        return pieces;
    }

    /// <summary>Versions 0.0 and 0.1: <c>offset,length,offset,length…</c>.</summary>
    private static List<SparsePiece> ParsePairs(ReadOnlySpan<byte> text)
    {
        List<SparsePiece> pieces = [];
        long? offset = null;
        foreach (Range range in text.Split((byte)','))
        {
            long number = Decimal(text[range], "sparse map");
            if (offset is null)
            {
                offset = number;
            }
            else
            {
                Add(pieces, offset.Value, number);
                offset = null;
            }
        }

        return offset is null ? pieces : throw Corrupt("a sparse map has an odd count of numbers");
    }

    private static void Add(List<SparsePiece> pieces, long offset, long length)
    {
        if (pieces.Count >= MaxPieces)
        {
            throw Corrupt($"a sparse map of more than {MaxPieces} pieces");
        }

        pieces.Add(new SparsePiece(offset, length));
    }

    private static void CheckMap(TarEntry entry)
    {
        long end = 0;
        long total = 0;
        foreach (SparsePiece piece in entry.Sparse!)
        {
            // In order, without overlap, inside the file.
            if (piece.Length < 0 || piece.Offset < end || piece.Offset > entry.Size || piece.Length > entry.Size - piece.Offset)
            {
                throw Corrupt($"the sparse map of '{entry.DisplayName}' does not fit its size {entry.Size}");
            }

            end = piece.Offset + piece.Length;
            total += piece.Length;
        }

        if (entry.Size < 0 || total != entry.StoredSize)
        {
            throw Corrupt($"the sparse map of '{entry.DisplayName}' covers {total} bytes, the archive has {entry.StoredSize}");
        }
    }
}
