/// How much a file may ask of the reader before it is refused.
package struct Limits: Sendable, Equatable {
    /// The size of the file, in bytes.
    package var fileBytes = 1 << 34
    /// The elements of one dataset, in bytes.
    package var datasetBytes = 1 << 33
    /// One attribute, in bytes.
    package var attributeBytes = 1 << 24
    /// The name of an object or attribute, in bytes of UTF-8.
    package var nameBytes = 255
    /// The children of one group, and the attributes of one object.
    package var children = 65_536
    /// The groups below each other.
    package var depth = 32

    /// Whether the checksums of metadata are looked at. They find accidents; tests that change files on purpose do without.
    package var verifiesChecksums = true

    /// The most dimensions a dataset may have: as many as HDF5 knows.
    static let rank = 32

    package init() {}

    /// 16 GiB files, 8 GiB datasets, 16 MiB attributes, 255-byte names, 65,536 children, 32 levels.
    package static let standard = Limits()
}
