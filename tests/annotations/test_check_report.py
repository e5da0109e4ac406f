"""The report of a check."""

from faulty_annotations import changed, put

from mmamodal.annotations.check_report import as_dict, as_text
from mmamodal.annotations.checks import Violation, check_dataset


def test_report_shows_a_table_and_the_first_of_each_kind() -> None:
    coco = changed(lambda c, f, b: (put(f, area=1), put(b, area=1, id=-1)))
    lines = as_text('x.json', coco, check_dataset(coco), most=1).splitlines()
    assert lines[0] == 'x.json: 1 images, 2 annotations, 3 violations'
    assert [line.split()[:2] for line in lines[1:3]] == [['annotation_id', '1'], ['area', '2']]
    assert lines[-3:] == ['area', '  annotation 7 (image 4): area is 1, but the mask has 25 pixels',
                          '  … and 1 more']


def test_report_as_dict_names_file_and_ids() -> None:
    report = as_dict('x.json', [Violation('area', 'text', 'annotations', 0, 7, 4)])
    assert report['counts'] == {'area': 1} and report['notes'] == []
    assert report['violations'] == [dict(kind='area', file='x.json', table='annotations', place=0,
                                         image_id=4, annotation_id=7, text='text')]
    image = as_dict('x.json', [Violation('image_file', 'text', 'images', 0, 4)])['violations'][0]
    assert image['image_id'] == 4 and 'annotation_id' not in image
